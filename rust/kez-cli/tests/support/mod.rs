//! Homes of their own for the command line, and servers on this computer.
#![allow(missing_docs, dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

pub mod agents;
pub mod forge;
pub mod relay;
pub mod servers;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

pub const ALICE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

pub struct Home(pub PathBuf);

pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Home {
    pub fn new(name: &str) -> Home {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Home(path)
    }

    pub fn with_alice(name: &str) -> Home {
        let home = Home::new(name);
        let ran = home.run(&["identity", "restore", "alice", "--mnemonic", "-", "--no-passphrase"], ALICE);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        home
    }

    pub fn run(&self, args: &[&str], input: &str) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kez-rs"))
            .args(args)
            .env_clear()
            .env("KEZ_HOME", self.0.join("kez"))
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing ends before all of it is written.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub fn ok(&self, args: &[&str], input: &str) -> String {
        let ran = self.run(args, input);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stdout);
        ran.stdout
    }

    pub fn json(&self, args: &[&str], input: &str) -> (i32, serde_json::Value) {
        let ran = self.run(&[args, &["--json"]].concat(), input);
        (ran.code, serde_json::from_str(&ran.stdout).unwrap())
    }

    pub fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
