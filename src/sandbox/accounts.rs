//! Accounts that a person can sign in with, and the kind of their passwords.

/// Kind of passwords that the users of a practice cluster have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Passwords {
    /// User name followed by `-password`: for tests and documentation, where nobody else uses the computer.
    #[default]
    Fixed,
    /// Random passwords, new at each start, because other users of the computer can reach the port too.
    Fresh,
}

/// Account that a person can sign in with.
#[derive(Clone)]
pub struct Account {
    /// User name.
    pub name: String,
    /// Password.
    pub password: String,
    /// Role names.
    pub roles: Vec<String>,
    /// Purpose of the account, in one sentence.
    pub about: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("name", &self.name).field("roles", &self.roles).finish_non_exhaustive()
    }
}
