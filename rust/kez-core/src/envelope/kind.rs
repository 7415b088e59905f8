//! The closed list of kinds. SPEC §2.1, ENV-8.

/// What an envelope states. The type inside the signed bytes keeps a signature of one kind from serving as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// SPEC §2.2
    Claim,
    /// SPEC §5.1
    SigchainEvent,
    /// SPEC §5.8
    ChainHead,
    /// SPEC §2.3, like all that follow
    DeviceCredential,
    /// The key that old messages of a chat are encrypted to
    ArchiveKey,
    /// An epoch of the keys that old messages are encrypted with
    ArchiveEpoch,
    /// A handle is taken
    HandleRegistration,
    /// A handle moves to another server
    HandleMove,
    /// A handle is given up
    HandleRelease,
    /// The state of a conversation
    ConversationState,
    /// Where a device can be reached
    Presence,
    /// The opening of a connection
    NatsConnect,
    /// A session of a transport key
    NatsSession,
    /// What a server answered
    ServerAnswer,
    /// The manifest of shared files
    FileManifest,
}

impl Kind {
    /// Every kind, in the order of SPEC §2.1.
    pub const ALL: [Kind; 15] = [
        Kind::Claim,
        Kind::SigchainEvent,
        Kind::ChainHead,
        Kind::DeviceCredential,
        Kind::ArchiveKey,
        Kind::ArchiveEpoch,
        Kind::HandleRegistration,
        Kind::HandleMove,
        Kind::HandleRelease,
        Kind::ConversationState,
        Kind::Presence,
        Kind::NatsConnect,
        Kind::NatsSession,
        Kind::ServerAnswer,
        Kind::FileManifest,
    ];

    /// The value of `kez`.
    pub const fn as_str(self) -> &'static str {
        self.texts().0
    }

    /// The value of `payload.type`.
    pub const fn payload_type(self) -> &'static str {
        self.texts().1
    }

    /// The kind whose `kez` this is.
    pub fn from_text(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Kind::Claim => ("claim", "kez.claim"),
            Kind::SigchainEvent => ("sigchain_event", "kez.sigchain.event"),
            Kind::ChainHead => ("chain_head", "kez.sigchain.head"),
            Kind::DeviceCredential => ("device_credential", "kez.chat.device_credential"),
            Kind::ArchiveKey => ("archive_key", "kez.chat.archive_key"),
            Kind::ArchiveEpoch => ("archive_epoch", "kez.chat.archive_epoch"),
            Kind::HandleRegistration => ("handle_registration", "kez.chat.handle_registration"),
            Kind::HandleMove => ("handle_move", "kez.chat.handle_move"),
            Kind::HandleRelease => ("handle_release", "kez.chat.handle_release"),
            Kind::ConversationState => ("conversation_state", "kez.chat.conversation_state"),
            Kind::Presence => ("presence", "kez.chat.presence"),
            Kind::NatsConnect => ("nats_connect", "kez.chat.nats_connect"),
            Kind::NatsSession => ("nats_session", "kez.chat.nats_session"),
            Kind::ServerAnswer => ("server_answer", "kez.chat.server_answer"),
            Kind::FileManifest => ("file_manifest", "kez.files.manifest"),
        }
    }
}
