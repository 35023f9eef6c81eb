//! Passwords from a person: typed without being shown.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use tokio::sync::oneshot;

use super::console::Console;
use super::error::ClientError;

/// The terminal without echo; it shows again what is typed when this is dropped.
struct Silence {
    terminal: File,
    before: Termios,
}

impl Silence {
    fn begin() -> io::Result<Self> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        // What was typed ahead was shown already: it is no password.
        tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // The terminal may be gone; then there is nothing to mend.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Asks for a password at the terminal. Ctrl-C gives the terminal its echo back before it ends the command.
pub(super) async fn password(question: &str, console: &mut Console) -> Result<SecretString, ClientError> {
    let failed = || ClientError::io("ask for the password");
    let silence = Silence::begin().map_err(failed())?;
    let reader = silence.terminal.try_clone().map_err(failed())?;
    console.ask(question);
    let (sender, line) = oneshot::channel();
    // A thread of its own: the runtime would wait for one of its own even after Ctrl-C.
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = BufReader::new(reader)
            .read_line(&mut text)
            .map(|_| SecretString::from(text.trim_end_matches(['\n', '\r'])));
        let _ = sender.send(read);
    });
    let answer = tokio::select! {
        line = line => line.unwrap_or_else(|_| Err(io::ErrorKind::UnexpectedEof.into())),
        _ = tokio::signal::ctrl_c() => Err(io::ErrorKind::Interrupted.into()),
    };
    drop(silence);
    console.say("");
    answer.map_err(failed())
}
