//! Where words go and come from: the process's streams, or a test's.

use std::io::{self, BufRead, IsTerminal, Write};

use super::error::ClientError;

/// Standard output, error and input, and whether a person sits there.
pub struct Console {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    input: Box<dyn BufRead + Send>,
    /// Whether questions can be asked and progress can be drawn.
    pub(super) interactive: bool,
    /// Whether colours may be used.
    pub(super) colour: bool,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").field("interactive", &self.interactive).finish_non_exhaustive()
    }
}

impl Console {
    /// That of this process. `no_color` is whether `NO_COLOR` is set to anything.
    pub fn of_process(no_color: bool) -> Self {
        let interactive = io::stdin().is_terminal() && io::stderr().is_terminal();
        Self {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            input: Box::new(io::BufReader::new(io::stdin())),
            interactive,
            colour: io::stderr().is_terminal() && !no_color,
        }
    }

    /// Streams of somebody's own; nobody sits there.
    pub fn of_streams(
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
        input: impl BufRead + Send + 'static,
    ) -> Self {
        Self { out: Box::new(out), err: Box::new(err), input: Box::new(input), interactive: false, colour: false }
    }

    /// A line of the result. A reader that went away (`| head`) is no error of ours.
    pub(super) fn result(&mut self, line: &str) {
        let _ = writeln!(self.out, "{line}").and_then(|()| self.out.flush());
    }

    /// A line beside the result.
    pub(super) fn say(&mut self, line: &str) {
        let _ = writeln!(self.err, "{line}").and_then(|()| self.err.flush());
    }

    /// The start of a line that the answer goes on.
    pub(super) fn ask(&mut self, question: &str) {
        let _ = write!(self.err, "{question}").and_then(|()| self.err.flush());
    }

    /// The first line of standard input, without its end.
    pub(super) fn read_line(&mut self) -> Result<String, ClientError> {
        let mut line = String::new();
        self.input.read_line(&mut line).map_err(ClientError::io("read standard input"))?;
        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
    }
}
