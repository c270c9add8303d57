//! The ssh-agent of this user (draft-ietf-sshm-ssh-agent): lists its keys and signs with one of them. These calls block,
//! the signature for as long as the agent waits for its user.

use std::{
    env,
    io::{self, Read, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::model::journal::ssh_signature::SshKey;

/// Maximum number of bytes of an answer: that of OpenSSH's own client.
const MAX_ANSWER_BYTES: usize = 256 << 10;
/// Maximum number of keys that are read from an agent.
const MAX_AGENT_KEYS: usize = 256;
/// Time limit for the list of keys.
const LIST_TIME: Duration = Duration::from_secs(10);
/// Time limit for a signature: the agent may ask its user, or wait for the touch of a security key.
const SIGN_TIME: Duration = Duration::from_secs(120);

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// Flag of a request to an RSA key: sign with SHA-512.
const RSA_SHA2_512: u32 = 4;

/// Variable with the path of the agent's socket.
const VARIABLE: &str = "SSH_AUTH_SOCK";
/// The agent that comes with Windows.
#[cfg(windows)]
const PIPE: &str = r"\\.\pipe\openssh-ssh-agent";

/// An ssh-agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    socket: PathBuf,
}

/// Reason why an agent can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// No agent is known.
    #[error("No ssh-agent is running here: {VARIABLE} is not set")]
    None,
    /// Agent that can't be reached.
    #[error("The ssh-agent at {} can’t be reached: {error}", .socket.display())]
    Unreachable {
        /// Path of its socket.
        socket: PathBuf,
        /// Reason of the system.
        error: io::Error,
    },
    /// Agent that did not answer in time.
    #[error("The ssh-agent did not answer within {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// Answer that is not understood.
    #[error("The ssh-agent’s answer is not understood: {0}")]
    Odd(&'static str),
    /// Agent that did not sign.
    #[error("The ssh-agent refused to sign: it is locked, its user declined, or it has that key no more")]
    Refused,
}

impl AgentError {
    /// Returns the way out.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::None => "Start one (eval $(ssh-agent)), add a key to it (ssh-add), and start Keybearer from there",
            Self::Unreachable { .. } => "Check that it is still running: ssh-add -l asks it, too",
            Self::TimedOut(_) => "Look for a question of the agent, or touch your security key, and try again",
            Self::Odd(_) => "Check what ssh-add -l says of this agent, or use a key file",
            Self::Refused => "Unlock the agent, confirm its question, or choose another key",
        }
    }
}

impl Agent {
    /// Returns the agent that this process was started with.
    ///
    /// # Errors
    /// [`AgentError::None`] if there is none.
    pub fn from_environment() -> Result<Self, AgentError> {
        match env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => Ok(Self::at(path)),
            #[cfg(windows)]
            None => Ok(Self::at(PIPE)),
            #[cfg(not(windows))]
            None => Err(AgentError::None),
        }
    }

    /// Returns the agent with this socket.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// Lists the keys that can sign checkpoints; others, and what is malformed, are left out.
    ///
    /// # Errors
    /// Returns an error if the agent can't be reached or does not answer as agents do.
    pub fn keys(&self) -> Result<Vec<SshKey>, AgentError> {
        let answer = self.ask(&[REQUEST_IDENTITIES], LIST_TIME)?;
        let mut rest = Fields(answer.strip_prefix(&[IDENTITIES_ANSWER]).ok_or(AgentError::Odd("not a list of keys"))?);
        let count = rest.number().ok_or(AgentError::Odd("a list of keys without their number"))?;
        let mut keys = Vec::new();
        for _ in 0..(count as usize).min(MAX_AGENT_KEYS) {
            let (Some(blob), Some(comment)) = (rest.bytes(), rest.bytes()) else {
                return Err(AgentError::Odd("a list of keys that is cut off"));
            };
            let key = SshKey::from_blob(blob, &String::from_utf8_lossy(comment));
            keys.extend(key.filter(|key| key.usable().is_ok()));
        }
        Ok(keys)
    }

    /// Signs data with one of its keys, and returns the signature in the binary format of the SSH protocols, unverified.
    ///
    /// # Errors
    /// Returns an error if the agent refuses, can't be reached, or does not answer as agents do.
    pub fn sign(&self, key: &SshKey, data: &[u8]) -> Result<Vec<u8>, AgentError> {
        let blob = key.blob().ok_or(AgentError::Odd("a key that can’t be written"))?;
        let mut request = vec![SIGN_REQUEST];
        for part in [&*blob, data] {
            let length = u32::try_from(part.len()).map_err(|_| AgentError::Odd("a text that is too long"))?;
            request.extend(length.to_be_bytes());
            request.extend(part);
        }
        request.extend((if key.is_rsa() { RSA_SHA2_512 } else { 0 }).to_be_bytes());
        let answer = self.ask(&request, SIGN_TIME)?;
        let mut rest = Fields(answer.strip_prefix(&[SIGN_RESPONSE]).ok_or(AgentError::Refused)?);
        Ok(rest.bytes().ok_or(AgentError::Odd("a signature that is cut off"))?.to_owned())
    }

    fn ask(&self, request: &[u8], limit: Duration) -> Result<Vec<u8>, AgentError> {
        let deadline = Instant::now() + limit;
        let unreachable = |error| AgentError::Unreachable { socket: self.socket.clone(), error };
        let mut stream = Stream::open(&self.socket).map_err(unreachable)?;
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => AgentError::TimedOut(limit),
            io::ErrorKind::UnexpectedEof => AgentError::Odd("it ended before its end"),
            _ => AgentError::Unreachable { socket: self.socket.clone(), error },
        };
        let length = u32::try_from(request.len()).map_err(|_| AgentError::Odd("a text that is too long"))?;
        stream.limit(deadline).map_err(failed)?;
        stream.write_all(&[&length.to_be_bytes(), request].concat()).map_err(failed)?;
        let mut length = [0; 4];
        read(&mut stream, &mut length, deadline).map_err(failed)?;
        let length = u32::from_be_bytes(length) as usize;
        if length == 0 || length > MAX_ANSWER_BYTES {
            return Err(AgentError::Odd("it is empty, or larger than any agent’s"));
        }
        let mut answer = vec![0; length];
        read(&mut stream, &mut answer, deadline).map_err(failed)?;
        Ok(answer)
    }
}

/// Fills the buffer. The time counts for all of it, however slowly it comes.
fn read(stream: &mut Stream, buffer: &mut [u8], deadline: Instant) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        stream.limit(deadline)?;
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Parts of a message, each with its length before it.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

/// Connection to an agent.
struct Stream {
    #[cfg(unix)]
    inner: std::os::unix::net::UnixStream,
    /// A named pipe, which is a file that is read and written. Files have no time limit here.
    #[cfg(not(unix))]
    inner: std::fs::File,
}

impl Stream {
    fn open(path: &std::path::Path) -> io::Result<Self> {
        #[cfg(unix)]
        let inner = std::os::unix::net::UnixStream::connect(path)?;
        #[cfg(windows)]
        let inner = {
            use std::os::windows::fs::OpenOptionsExt as _;
            /// Whoever serves the pipe may learn who asks, and not act as them (SECURITY_IDENTIFICATION).
            const IDENTIFICATION: u32 = 0x0001_0000;
            std::fs::File::options().read(true).write(true).security_qos_flags(IDENTIFICATION).open(path)?
        };
        Ok(Self { inner })
    }

    /// Limits the next call to the time that is left.
    fn limit(&self, deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        #[cfg(unix)]
        {
            self.inner.set_read_timeout(Some(left))?;
            self.inner.set_write_timeout(Some(left))?;
        }
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{os::unix::net::UnixListener, thread};

    use super::*;

    /// Answers one request with these bytes.
    fn answering(bytes: Vec<u8>) -> (tempfile::TempDir, Agent) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let listener = UnixListener::bind(&socket).unwrap();
        let serve = move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 5];
            stream.read_exact(&mut request).unwrap();
            let _ = stream.write_all(&bytes);
        };
        thread::Builder::new().name("agent".into()).spawn(serve).unwrap();
        (folder, Agent::at(socket))
    }

    #[test]
    fn an_answer_of_an_agent_is_read_within_its_limits_or_refused() {
        let message = |body: &[u8]| [&(body.len() as u32).to_be_bytes(), body].concat();
        let keys = |answer: Vec<u8>| {
            let (_folder, agent) = answering(answer);
            agent.keys().map_err(|error| error.to_string())
        };
        assert_eq!(keys(message(&[IDENTITIES_ANSWER, 0, 0, 0, 0])), Ok(Vec::new()));
        // A key that is none is left out; one that is cut off is not skipped.
        assert_eq!(keys(message(&[IDENTITIES_ANSWER, 0, 0, 0, 1, 0, 0, 0, 1, 7, 0, 0, 0, 0])), Ok(Vec::new()));
        for (answer, words) in [
            (message(&[IDENTITIES_ANSWER, 0, 0, 0, 2, 0, 0, 0, 1, 7, 0, 0, 0, 0]), "cut off"),
            (message(&[IDENTITIES_ANSWER, 0, 0, 0, 1, 255, 255, 255, 255]), "cut off"),
            (message(&[IDENTITIES_ANSWER]), "without their number"),
            (message(&[5]), "not a list of keys"),
            (message(&[]), "empty, or larger"),
            (vec![255; 4], "empty, or larger"),
            (((MAX_ANSWER_BYTES + 1) as u32).to_be_bytes().to_vec(), "empty, or larger"),
            (vec![0, 0], "ended before its end"),
            (vec![0, 0, 0, 9, IDENTITIES_ANSWER], "ended before its end"),
        ] {
            let refused = keys(answer).unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
        let missing = Agent::at("/nowhere/agent").keys().unwrap_err();
        assert!(matches!(missing, AgentError::Unreachable { .. }), "{missing}");
    }
}
