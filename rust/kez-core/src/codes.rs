//! The closed list of codes. SPEC §12. Those marked † come from programs around the protocol, not from it.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)+) => {
        /// Why something was refused. SPEC §12; a new one is a new minor version of that document.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)+
        }

        impl Code {
            /// Every code, in the order of SPEC §12.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// The text that other implementations and people see, as `json.syntax`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $text,)+
                }
            }
        }
    };
}

codes! {
    /// A text, an envelope or an identity is longer than its limit.
    LimitSize => "limit.size",
    /// JSON is nested deeper than 8.
    LimitDepth => "limit.depth",
    /// An object has more than 64 members.
    LimitMembers => "limit.members",
    /// Compressed content is longer than its cap, or cannot be decompressed within it.
    LimitDecompressed => "limit.decompressed",
    /// A zstd window above 1 MiB.
    LimitWindow => "limit.window",
    /// More proofs or TXT records in one place than are looked at.
    LimitCandidates => "limit.candidates",
    /// A chain document, a chain or a set of events beyond its limit, or a reserved place.
    LimitChain => "limit.chain",
    /// More than 32 active devices.
    LimitDevices => "limit.devices",
    /// More than 256 active subjects.
    LimitClaims => "limit.claims",
    /// † a fetched body is larger than its limit.
    LimitBody => "limit.body",
    /// † a key file asks for more work than is done.
    LimitWork => "limit.work",
    /// More sections, pages or entries in a document of shared files than are read.
    LimitEntries => "limit.entries",
    /// Bytes that are not UTF-8.
    TextUtf8 => "text.utf8",
    /// A byte order mark at the beginning.
    TextBom => "text.bom",
    /// Not JSON.
    JsonSyntax => "json.syntax",
    /// A member twice in one object.
    JsonDuplicate => "json.duplicate",
    /// A number that is not an integer within ±(2^53−1) in its only spelling.
    JsonNumber => "json.number",
    /// Half a surrogate pair.
    JsonSurrogate => "json.surrogate",
    /// A control character in a string.
    JsonControl => "json.control",
    /// A value without a JSON form was given to the canonicaliser.
    JsonNotPlain => "json.not_plain",
    /// A member of another JSON type.
    SchemaType => "schema.type",
    /// A member that the table does not name.
    SchemaUnknownMember => "schema.unknown_member",
    /// A member that the table requires is absent.
    SchemaMissingMember => "schema.missing_member",
    /// A value outside of what the table allows.
    SchemaValue => "schema.value",
    /// A kind outside the closed list, or another than expected.
    EnvelopeKind => "envelope.kind",
    /// A payload version other than 1.
    EnvelopeVersion => "envelope.version",
    /// An operation outside the closed list.
    EventOp => "event.op",
    /// Not a time in an accepted form.
    TimeSyntax => "time.syntax",
    /// An expiry not after the beginning, or too long after it.
    TimeOrder => "time.order",
    /// Made more than 300 s in the future.
    TimeFuture => "time.future",
    /// A character outside U+0021–U+007E in an identity.
    IdentityCharset => "identity.charset",
    /// An identity that does not fit its system, or has none.
    IdentitySyntax => "identity.syntax",
    /// An identity of a system that this version does not know.
    IdentityUnsupported => "identity.unsupported",
    /// An identity in another spelling where the canonical one is required.
    IdentityNotCanonical => "identity.not_canonical",
    /// A key that is not encoded canonically, or is out of range.
    KeyEncoding => "key.encoding",
    /// A key of small order, under which signatures prove nothing.
    KeyWeak => "key.weak",
    /// An algorithm other than that of the key.
    SignatureAlg => "signature.alg",
    /// Signed by another key than the claim's primary.
    SignatureKey => "signature.key",
    /// A signature that is not 64 bytes in lower-case hex.
    SignatureEncoding => "signature.encoding",
    /// A signature that is not by this key over these bytes.
    SignatureInvalid => "signature.invalid",
    /// Not base64url in its only spelling.
    EncodingBase64url => "encoding.base64url",
    /// A text form that this version does not know, or that has no room for the value.
    EncodingUnsupported => "encoding.unsupported",
    /// Not one well-formed zstd frame.
    ZstdFrame => "zstd.frame",
    /// A zstd frame with a dictionary.
    ZstdDictionary => "zstd.dictionary",
    /// Bytes after the zstd frame.
    ZstdTrailing => "zstd.trailing",
    /// † the decompressor is not loaded yet.
    ZstdNotReady => "zstd.not_ready",
    /// Not 12 or 24 words.
    MnemonicLength => "mnemonic.length",
    /// A word that is not in the list.
    MnemonicWord => "mnemonic.word",
    /// Words that do not fit together.
    MnemonicChecksum => "mnemonic.checksum",
    /// No proof in the text, or none published in the place.
    ProofNotFound => "proof.not_found",
    /// Different proofs where one is wanted.
    ProofAmbiguous => "proof.ambiguous",
    /// A block tagged `kez` that is never closed.
    ProofCut => "proof.cut",
    /// A proof for another subject.
    ProofSubjectMismatch => "proof.subject_mismatch",
    /// A proof by another primary.
    ProofPrimaryMismatch => "proof.primary_mismatch",
    /// The chain does not name the claim where it must.
    ClaimNotInChain => "claim.not_in_chain",
    /// The chain revokes the subject.
    ClaimRevoked => "claim.revoked",
    /// The claim's expiry has passed.
    ClaimExpired => "claim.expired",
    /// The name belongs to another account than the chain says, or than was seen before: it was taken over.
    AccountChanged => "account.changed",
    /// The account that was proven has another name now.
    AccountRenamed => "account.renamed",
    /// The proof stands in a place of another account.
    AccountOwner => "account.owner",
    /// One side names the other, which does not name it back.
    AccountOneSided => "account.one_sided",
    /// The account's document gives another id than the place where it lies.
    AccountId => "account.id",
    /// Not lines of one JSON value each, with LF after each.
    ChainJsonl => "chain.jsonl",
    /// A line that is not in canonical form.
    ChainNotCanonical => "chain.not_canonical",
    /// Event 0 is missing, or `prev` where it must not be, or none where it must.
    ChainGenesis => "chain.genesis",
    /// An event is missing before this one.
    ChainGap => "chain.gap",
    /// A `seq` that is taken.
    ChainRepeat => "chain.repeat",
    /// The digest of another event than the one before.
    ChainPrev => "chain.prev",
    /// An event that names another primary than the one in force.
    ChainPrimary => "chain.primary",
    /// Signed by a key that the chain does not authorise.
    ChainNotAuthorised => "chain.not_authorised",
    /// An operation that this signer may not do.
    ChainAuthority => "chain.authority",
    /// A commitment while one is in force.
    ChainNextInForce => "chain.next_in_force",
    /// A rotation that is not to the committed key, signed by it.
    ChainPrerotation => "chain.prerotation",
    /// A key that was revoked or rotated away.
    ChainKeyReuse => "chain.key_reuse",
    /// A key that the chain uses already.
    ChainKeyInUse => "chain.key_in_use",
    /// No proof that the new key's holder agreed.
    ChainPop => "chain.pop",
    /// A fork that nothing decides.
    ChainFork => "chain.fork",
    /// A source serves less than was seen before.
    ChainRollback => "chain.rollback",
    /// A signed head names events that were not served.
    ChainWithheld => "chain.withheld",
    /// A source that should have the chain did not answer.
    ChainUnreachable => "chain.unreachable",
    /// The reader requires a chain, and none is known.
    ChainRequired => "chain.required",
    /// The reader requires freshness, and the chain may have grown.
    ChainStale => "chain.stale",
    /// No such chain or event is known.
    ChainUnknown => "chain.unknown",
    /// A head by a key that is not current.
    HeadNotAuthorised => "head.not_authorised",
    /// A head past its expiry.
    HeadExpired => "head.expired",
    /// † a URL that is not fetched.
    NetUrl => "net.url",
    /// † a host name that is not fetched from.
    NetHost => "net.host",
    /// † an address that is not public.
    NetAddress => "net.address",
    /// † a port other than 80 and 443.
    NetPort => "net.port",
    /// † a redirect to a place that is not followed.
    NetRedirect => "net.redirect",
    /// † more than 3 redirects.
    NetRedirectLimit => "net.redirect_limit",
    /// † the resolver did not give an answer.
    NetDns => "net.dns",
    /// † the connection was refused or cut.
    NetRefused => "net.refused",
    /// † the certificate is not right.
    NetTls => "net.tls",
    /// † no answer in time.
    NetTimeout => "net.timeout",
    /// † not HTTP as it should be.
    NetHttp => "net.http",
    /// † an HTTP status that is no answer.
    NetStatus => "net.status",
    /// † another content type than expected.
    NetContentType => "net.content_type",
    /// † too many requests are waiting.
    NetBusy => "net.busy",
    /// † the place asked to wait before it is asked again.
    NetRateLimit => "net.rate_limit",
    /// † no channel for this system in this version.
    ChannelUnsupported => "channel.unsupported",
    /// † the platform itself is not well, told by something that is always there.
    ChannelDown => "channel.down",
    /// † the place does not accept the credentials, or they are of another account.
    PublishCredentials => "publish.credentials",
    /// † the place refused to publish.
    PublishRefused => "publish.refused",
    /// † the text is longer than the place allows.
    PublishTooLong => "publish.too_long",
    /// † published, but not seen there yet.
    PublishUnconfirmed => "publish.unconfirmed",
    /// nothing that proves who connects, or no nonce to prove it for.
    AuthMissing => "auth.missing",
    /// a proof made for another connection or another server.
    AuthBinding => "auth.binding",
    /// a proof too old, too early, or of a session that has expired.
    AuthTime => "auth.time",
    /// † the key is not one that may connect now: not a current device, not registered, or banned.
    AuthRefused => "auth.refused",
    /// † no nats-server of a fit version is here or can be fetched.
    BrokerMissing => "broker.missing",
    /// † a fetched program is not the one that is pinned.
    BrokerChecksum => "broker.checksum",
    /// † nats-server does not start, or not in time.
    BrokerStart => "broker.start",
    /// † a port of the broker is used by another program.
    BrokerPort => "broker.port",
    /// † the broker refused a request, or answers nothing.
    BrokerRefused => "broker.refused",
    /// † bytes that are not one MLS message, content or saved state in their only spelling.
    ChatEncoding => "chat.encoding",
    /// † a device credential that does not bind this key to a device that the chain lists.
    ChatCredential => "chat.credential",
    /// † a key package that is not sound, has expired, or was used before.
    ChatKeyPackage => "chat.key_package",
    /// † a commit in a form that is not accepted, or that does not open for this device.
    ChatCommit => "chat.commit",
    /// † the state of the conversation does not allow it.
    ChatPolicy => "chat.policy",
    /// † a state of a conversation that does not continue the one before it, or another than is in force.
    ChatState => "chat.state",
    /// † a conversation has two histories for one epoch.
    ChatFork => "chat.fork",
    /// † made in an epoch that this device does not hold (any more, or yet).
    ChatEpoch => "chat.epoch",
    /// † something that was received before.
    ChatRepeat => "chat.repeat",
    /// † messages of a device are missing before this one.
    ChatGap => "chat.gap",
    /// † a device said two different things in one place of its messages.
    ChatSenderFork => "chat.sender_fork",
    /// † a message that does not open: it was altered on its way, or is not from a member.
    ChatDecrypt => "chat.decrypt",
    /// † this device is not in the conversation any more.
    ChatRemoved => "chat.removed",
    /// † an archive key or entry that does not open, or is not by the account.
    ChatArchive => "chat.archive",
    /// † kez-iroh, which moves files, is not there or stopped.
    FileProgram => "file.program",
    /// † a presence that is not by the device that sent it, has expired, or comes again.
    FilePresence => "file.presence",
    /// † an offer or its list of files that is not what it says of itself.
    FileOffer => "file.offer",
    /// † a file name that is not written here.
    FileName => "file.name",
    /// † a file that was changed while it was read, or since it was offered.
    FileChanged => "file.changed",
    /// † nobody who is there gives the file.
    FileRefused => "file.refused",
    /// A manifest of shared files by another key or for another chain, or documents that are not those that it names.
    FileManifest => "file.manifest",
    /// A manifest of shared files older than one that is known or anchored.
    FileRollback => "file.rollback",
    /// Two manifests of shared files in one place of a series.
    FileFork => "file.fork",
    /// A handle that nobody can have: a name of mail, of the web or of this product.
    HandleReserved => "handle.reserved",
    /// A handle that another chain has.
    HandleTaken => "handle.taken",
    /// A handle that reads like one that is given out.
    HandleConfusable => "handle.confusable",
    /// A handle that was given up or moved; only the chain that had it can take it back.
    HandleReleased => "handle.released",
    /// † the chain has another handle on this server.
    HandleLimit => "handle.limit",
    /// † an invitation is needed, and none was given or it is not good any more.
    HandleInvitation => "handle.invitation",
    /// † the server takes no registrations.
    HandleClosed => "handle.closed",
    /// A key of a log that is not one, or another than was seen before.
    DirectoryKey => "directory.key",
    /// A checkpoint that its log did not sign, or of another log.
    DirectoryCheckpoint => "directory.checkpoint",
    /// A proof that does not show what it should: a leaf is not where the server says.
    DirectoryProof => "directory.proof",
    /// A log that is shorter, or an entry that is older, than was seen before.
    DirectoryRollback => "directory.rollback",
    /// A log that contradicts what was seen before: the server shows two histories.
    DirectorySplit => "directory.split",
    /// † something of this name exists already.
    StoreExists => "store.exists",
    /// † nothing of this name is stored.
    StoreUnknown => "store.unknown",
    /// † stored data is damaged.
    StoreCorrupt => "store.corrupt",
    /// † stored data was written by a newer version.
    StoreNewer => "store.newer",
    /// † another process is writing.
    StoreBusy => "store.busy",
    /// † data could not be written.
    StoreWrite => "store.write",
    /// † there is no room for more: the disk or the quota is used up.
    StoreFull => "store.full",
    /// † others may read what only the owner should.
    StorePermissions => "store.permissions",
    /// † the key is locked and cannot be unlocked here.
    KeyLocked => "key.locked",
    /// † the key file does not open: wrong passphrase or damaged.
    KeyUnlock => "key.unlock",
    /// † the secret of this key is not held here.
    KeyNotHeld => "key.not_held",
    /// † an answer is needed and nobody can be asked.
    InputMissing => "input.missing",
    /// † a file or stream cannot be read.
    InputUnreadable => "input.unreadable",
    /// † the user stopped it.
    InputCancelled => "input.cancelled",
    /// † the recovery words were not recalled.
    InputRecall => "input.recall",
    /// † the command was not written as it should be.
    Usage => "usage",
    /// † a defect of the program itself.
    Internal => "internal",
}

impl Code {
    /// The code with this text, if the list has it.
    pub fn from_text(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}
