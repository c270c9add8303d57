//! `keybearer completions`: the completions of a shell.

use clap::{Args, Command, ValueEnum};
use clap_complete::{Shell, generate};
use clap_complete_nushell::Nushell;

use crate::cli::{
    CREATE_API_KEY, PROGRAM, create_api_key_bin,
    error::{CliError, Exit},
    output,
};

/// The options of `completions`.
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// Shell that will read them
    shell: ShellChoice,
    /// Program to complete
    #[arg(long, value_name = "NAME", default_value = PROGRAM)]
    program: Program,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ShellChoice {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
    Elvish,
    Nushell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Program {
    Keybearer,
    #[value(name = CREATE_API_KEY)]
    CreateApiKey,
}

pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let (mut command, name) = match args.program {
        Program::Keybearer => (crate::cli::command(), PROGRAM),
        Program::CreateApiKey => (create_api_key_bin::command(), CREATE_API_KEY),
    };
    // Written to memory first: the generators end the process when a pipe is closed.
    let mut text = Vec::new();
    write(args.shell, &mut command, name, &mut text);
    output::put(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}

fn write(shell: ShellChoice, command: &mut Command, name: &str, text: &mut Vec<u8>) {
    match shell {
        ShellChoice::Bash => generate(Shell::Bash, command, name, text),
        ShellChoice::Zsh => generate(Shell::Zsh, command, name, text),
        ShellChoice::Fish => generate(Shell::Fish, command, name, text),
        ShellChoice::PowerShell => generate(Shell::PowerShell, command, name, text),
        ShellChoice::Elvish => generate(Shell::Elvish, command, name, text),
        ShellChoice::Nushell => generate(Nushell, command, name, text),
    }
}
