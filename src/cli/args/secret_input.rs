//! Secrets that a command needs besides its credential: from a file, from stdin, or typed; never as an option.

use std::{
    io::{self, IsTerminal, Read},
    path::PathBuf,
};

use zeroize::Zeroizing;

use crate::{
    cli::{error::CliError, output},
    model::secret::Secret,
};

/// Size limit of a secret, in bytes; no password, token or key is that long.
const MAX_SECRET_BYTES: usize = 64 << 10;

/// Source of a secret.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// All of stdin.
    Stdin,
    /// A file.
    File(PathBuf),
    /// A person at a terminal.
    Person,
}

impl Source {
    /// Returns the source that one of the two options names; a person where neither is given.
    pub(crate) fn of(file: Option<&PathBuf>, stdin: bool) -> Self {
        match (file, stdin) {
            (Some(path), _) if path.as_os_str() == "-" => Self::Stdin,
            (Some(path), _) => Self::File(path.clone()),
            (None, true) => Self::Stdin,
            (None, false) => Self::Person,
        }
    }

    /// Reads the secret; line ends at its end don't count. `what` names the secret in the prompt, `options` are named
    /// where nobody can be asked.
    ///
    /// # Errors
    /// Returns an error if the secret can't be read, is blank, or exceeds [`MAX_SECRET_BYTES`].
    pub(crate) fn read(&self, what: &str, options: &str) -> Result<Secret, CliError> {
        let secret = match self {
            Self::Stdin => read(&mut io::stdin().lock()).map_err(|error| unreadable("stdin", &error))?,
            Self::File(path) => {
                let place = path.display().to_string();
                let file = std::fs::File::open(path).and_then(|mut file| read(&mut file));
                file.map_err(|error| unreadable(&place, &error))?
            }
            Self::Person if io::stdin().is_terminal() => {
                let typed = rpassword::prompt_password(format!("{}: ", output::cell(what)));
                typed.map(Secret::new).map_err(|error| unreadable("the terminal", &error))?
            }
            Self::Person => {
                return Err(CliError::usage(format!(
                    "{what} is required, but there is no terminal to ask for it: use {options}"
                )));
            }
        };
        if secret.expose().trim().is_empty() {
            return Err(CliError::usage(format!("{what} is blank")));
        }
        Ok(secret)
    }
}

fn unreadable(place: &str, error: &io::Error) -> CliError {
    CliError::usage(format!("A secret can't be read from {place}: {error}"))
}

fn read(from: &mut impl Read) -> io::Result<Secret> {
    // In one piece: a buffer that grows leaves its old memory behind.
    let mut bytes = Zeroizing::new(vec![0; MAX_SECRET_BYTES]);
    let mut length = 0;
    while length < bytes.len() {
        match from.read(&mut bytes[length..])? {
            0 => break,
            read => length += read,
        }
    }
    if length == bytes.len() {
        return Err(io::Error::other("it is longer than any secret"));
    }
    let text = std::str::from_utf8(&bytes[..length]).map_err(|_| io::Error::other("it is not UTF-8 text"))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_part_of_a_secret_and_line_ends_are_not() {
        let text = |text: &str| read(&mut text.as_bytes()).unwrap().expose().to_owned();
        assert_eq!((text(" a b \r\n").as_str(), text("a\nb").as_str(), text("").as_str()), (" a b ", "a\nb", ""));
        assert!(read(&mut &[0xff_u8][..]).is_err());
        assert!(read(&mut io::repeat(b'x')).is_err());
    }
}
