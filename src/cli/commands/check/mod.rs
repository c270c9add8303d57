//! `keybearer check`: the connection tested step by step, or a secret. Nothing is changed on the cluster.

mod secret;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        environment,
        error::{CliError, Exit},
        output::{self, PlainFormat},
    },
    client::SeenCertificate,
    model::{Timestamp, text::sanitize, time::calendar},
    ops::{
        clock,
        connections::connect::{self, ConnectionCheck, StepReport, StepResult},
    },
};
use secret::CheckSecretArgs;

/// The options of `check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// Output format
    #[arg(short, long, default_value = "table")]
    output: PlainFormat,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Check which key a secret belongs to, whether it works, and what it can do
    Secret(CheckSecretArgs),
}

#[derive(Serialize)]
struct StepJson {
    step: &'static str,
    result: &'static str,
    title: String,
    detail: String,
    hint: String,
    took_ms: Option<u64>,
    certificate: Option<CertificateJson>,
}

#[derive(Serialize)]
struct CertificateJson {
    subject: String,
    issuer: String,
    not_before: Timestamp,
    not_after: Timestamp,
    names: Vec<String>,
    sha256: String,
    ca: Option<CaJson>,
}

#[derive(Serialize)]
struct CaJson {
    subject: String,
    sha256: String,
    not_after: Option<Timestamp>,
}

pub(crate) async fn run(flags: &ConnectionFlags, args: CheckArgs) -> Result<Exit, CliError> {
    if let Some(What::Secret(what)) = args.what {
        return secret::run(flags, what, args.output).await;
    }
    let endpoint = flags.endpoint()?;
    let mut failed = false;
    let mut written = Ok(());
    let mut steps = Vec::new();
    let tokens = environment::token_source(&endpoint);
    connect::test_by_rules(&endpoint, environment::policy(), tokens, &environment::journal(), |report| {
        let step = StepJson::new(report);
        failed |= step.result == "failed";
        if args.output == PlainFormat::Table && written.is_ok() {
            written = output::put(&lines(&step));
        }
        steps.push(step);
    })
    .await;
    if args.output == PlainFormat::Json {
        written = output::put_json(&steps);
    }
    Ok(if failed { Exit::Failed } else { Exit::Done }.unless_unwritten(written))
}

impl StepJson {
    fn new(report: StepReport) -> Self {
        let certificate = report.certificate.as_ref().map(CertificateJson::new);
        let (result, title, detail, hint) = match report.result {
            StepResult::Good(title, detail) => ("good", title, detail, String::new()),
            StepResult::Mind(title, detail) => ("mind", title, detail, String::new()),
            StepResult::Failed(problem) => ("failed", problem.title, problem.detail, problem.hint),
        };
        let step = match report.step {
            ConnectionCheck::Policy => "policy",
            ConnectionCheck::SignIn => "sign_in",
            ConnectionCheck::Addresses => "addresses",
            ConnectionCheck::Proxy => "proxy",
            ConnectionCheck::Reach => "reach",
            ConnectionCheck::Certificate => "certificate",
            ConnectionCheck::ClientCertificate => "client_certificate",
            ConnectionCheck::Product => "product",
            ConnectionCheck::Identity => "identity",
            ConnectionCheck::Privileges => "privileges",
            ConnectionCheck::Missing => "missing",
        };
        Self { step, result, title, detail, hint, took_ms: report.took, certificate }
    }
}

impl CertificateJson {
    fn new(seen: &SeenCertificate) -> Self {
        Self {
            subject: seen.subject.clone(),
            issuer: seen.issuer.clone(),
            not_before: seen.not_before,
            not_after: seen.not_after,
            names: seen.names.clone(),
            sha256: seen.fingerprint.to_string(),
            ca: seen.ca.as_ref().map(|ca| CaJson {
                subject: ca.subject.clone(),
                sha256: ca.fingerprint.to_string(),
                not_after: ca.not_after,
            }),
        }
    }
}

fn lines(step: &StepJson) -> String {
    let mark = match step.result {
        "good" => "ok    ",
        "mind" => "warn  ",
        _ => "FAILED",
    };
    let took = step.took_ms.map(|took| format!(" ({took} ms)")).unwrap_or_default();
    let detail = if step.detail.is_empty() { String::new() } else { format!(": {}", step.detail) };
    let mut text = format!("{mark}  {}\n", sanitize::shown(&format!("{}{detail}{took}", step.title)));
    if !step.hint.is_empty() {
        text.push_str(&format!("        {}\n", sanitize::shown(&step.hint)));
    }
    if let Some(certificate) = step.certificate.as_ref().filter(|_| step.step == "certificate") {
        for line in certificate_lines(certificate, step.result == "failed").lines() {
            text.push_str(&format!("        {line}\n"));
        }
    }
    text
}

fn certificate_lines(certificate: &CertificateJson, refused: bool) -> String {
    let zone = clock::zone();
    let shown = |text: &str| sanitize::shown(text).into_owned();
    let mut facts = vec![
        ("subject", shown(&certificate.subject)),
        ("names", shown(&certificate.names.join(", "))),
        ("issuer", shown(&certificate.issuer)),
        ("valid from", calendar::local(certificate.not_before, &zone)),
        ("valid until", calendar::local(certificate.not_after, &zone)),
        ("SHA-256", certificate.sha256.clone()),
    ];
    if let Some(ca) = &certificate.ca {
        facts.push(("CA", shown(&ca.subject)));
        facts.extend(ca.not_after.map(|at| ("CA valid until", calendar::local(at, &zone))));
        facts.push(("CA SHA-256", ca.sha256.clone()));
    }
    let mut text = output::facts(&facts);
    if refused {
        // Elasticsearch prints the fingerprint of its CA; a server that sends no CA has only its own to pin.
        let (compare, print) = match &certificate.ca {
            Some(ca) => {
                ("Elasticsearch printed the SHA-256 of its CA on first start: if it is the same, pin it", &ca.sha256)
            }
            None => ("If this is the SHA-256 of the server's own certificate, pin it", &certificate.sha256),
        };
        text.push_str(&format!("{compare}:\n--fingerprint {print}\n"));
    }
    text
}
