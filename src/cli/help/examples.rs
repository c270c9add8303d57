//! Examples of each command, for its help and its manual page. A test parses every line.

/// A command line as a shell reads it, and what it does.
pub(in crate::cli) type Example = (&'static str, &'static str);

/// Examples by the names of a command below the root, separated by spaces.
const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "",
        &[
            ("keybearer", "Open the window"),
            ("keybearer list owner:ana 'expires:<30d'", "Keys of ana that expire within 30 days"),
            (
                "keybearer create --name my_app_key --role reader --expiration 1d --output json",
                "Create a key that has the privileges of the role reader for a day",
            ),
        ],
    ),
    (
        "create",
        &[
            (
                "keybearer create --name my_app_key --role reader --expiration 90d --secret-file my_app.key",
                "A key with the privileges of the role reader, its secret in a new file readable only by you",
            ),
            (
                "keybearer create --name shipper --preset beats-writer --index 'filebeat-*' --id shipper-1 -o json",
                "A key with the privileges that a Beat needs, for these indices, printed as JSON",
            ),
            (
                "keybearer create --name search --role-descriptors @search.json --dry-run",
                "Show the request for a key with custom role descriptors, and send nothing",
            ),
            (
                "keybearer create --name eu --cross-cluster --search 'logs-*' --secret-file eu.key",
                "A key by which another cluster searches these indices",
            ),
        ],
    ),
    (
        "grant",
        &[(
            "keybearer grant --name app --for ana --role reader --password-file ana.pw --secret-file app.key",
            "A key that belongs to ana, who authorizes it by her password",
        )],
    ),
    (
        "clone",
        &[(
            "keybearer clone my_app_id --source-file old.key --secret-file clone.key",
            "A second key with the owner and the privileges of my_app_id",
        )],
    ),
    (
        "list",
        &[
            (
                "keybearer list owner:ana 'expires:<30d' can:write",
                "Keys of ana that can write and expire within 30 days",
            ),
            (
                "keybearer list --sort expires --output csv > keys.csv",
                "All keys as CSV, those that expire first at the top",
            ),
            (
                "keybearer list --status expired --columns id,name,owner --limit 20",
                "The newest 20 keys that have expired, by some of their columns",
            ),
            ("keybearer list --profile prod --profile staging name:app", "The keys of two clusters as one list"),
            (
                "keybearer list -o json 'on:logs-*' | jq -r '.[].name'",
                "The names of keys that reach indices named logs-*",
            ),
        ],
    ),
    (
        "expiring",
        &[
            ("keybearer expiring --within 14d", "What expires within 14 days; exit code 4 if anything does"),
            (
                "keybearer expiring --output prometheus --each > keys.prom",
                "Metrics for the textfile collector of Prometheus",
            ),
        ],
    ),
    (
        "watch",
        &[("keybearer watch --within 7d --every 1h", "Check every hour, and notify of keys that expire within a week")],
    ),
    (
        "show",
        &[
            ("keybearer show my_app_id", "All that is known about a key, by its id, application id or name"),
            ("keybearer show my_app_id -o json | jq .expiration", "One of its fields"),
        ],
    ),
    (
        "snippet",
        &[
            ("keybearer snippet --list", "The consumers that there is a configuration for"),
            ("keybearer snippet my_app_id --for filebeat", "The configuration of Filebeat, without the secret"),
            (
                "keybearer snippet my_app_id --for kubernetes --literal",
                "A Kubernetes Secret with the secret, which is kept in the keyring or prompted for",
            ),
        ],
    ),
    (
        "run",
        &[
            (
                "keybearer run --key my_app_key -- ./sync",
                "Start ./sync with the encoded key in its variable ES_API_KEY, from the keyring",
            ),
            ("keybearer run --key tf --env ELASTICSEARCH_API_KEY -- terraform apply", "The same in another variable"),
            (
                "keybearer run --key my_app_key --env 'AUTH=ApiKey {encoded}' --env KEY_ID={id} -- ./sync",
                "Two variables in formats of their own",
            ),
            ("keybearer run --profile prod --key my_app_key -- ./sync", "Start it only if the cluster accepts the key"),
        ],
    ),
    (
        "invalidate",
        &[
            ("keybearer invalidate my_app_id", "Show what would be invalidated, and ask"),
            (
                "keybearer invalidate --filter 'owner:bob status:expired' --yes --count 34",
                "Without asking, but only if exactly 34 keys match",
            ),
            (
                "keybearer list --ids name:test | keybearer invalidate --keys-from - --yes --count 3",
                "Exactly the keys of a list",
            ),
        ],
    ),
    (
        "update",
        &[
            ("keybearer update my_app_id --expiration 30d", "Let a key expire 30 days from now"),
            (
                "keybearer update key-1 key-2 --set team=search --unset contact --yes",
                "Change two fields of the metadata of two keys",
            ),
        ],
    ),
    (
        "rotate",
        &[
            (
                "keybearer rotate my_app_id --grace 24h --secret-file new.key",
                "A successor; the old key works for another day",
            ),
            ("keybearer rotate --due --yes", "Invalidate old keys whose grace period is over, for cron"),
            (
                "keybearer rotate my_app_id --compromised --secret-file new.key",
                "Invalidate the old key as soon as the new one works",
            ),
        ],
    ),
    ("whoami", &[("keybearer whoami", "Who you are on the cluster, and what you can do with keys")]),
    ("check", &[("keybearer check --url https://es.example.net:9200", "Test the connection step by step")]),
    (
        "check secret",
        &[
            ("keybearer check secret", "Prompt for a secret in any format, and tell whose it is and whether it works"),
            (
                "keybearer check secret --secret-file my_app.key --index 'logs-*' --privilege write",
                "Whether it may write to these indices",
            ),
        ],
    ),
    #[cfg(feature = "sandbox")]
    (
        "sandbox",
        &[(
            "keybearer sandbox --port 9200 --keys 1000",
            "A practice cluster with 1,000 keys; it prints what to export",
        )],
    ),
    ("journal", &[("keybearer journal verify", "Whether the journal is as it was written")]),
    (
        "journal verify",
        &[
            ("keybearer journal verify", "Whether the journal is as it was written"),
            ("keybearer journal verify --checkpoint november", "The same, compared with what somebody else kept"),
        ],
    ),
    ("journal list", &[("keybearer journal list --key VuaCfGcBCdbkQm-e5aOx", "What was done to one key")]),
    ("journal export", &[("keybearer journal export > journal.jsonl", "All entries, unchanged")]),
    (
        "journal ship",
        &[(
            "keybearer journal ship --index keybearer --to-profile audit",
            "Send the entries that are not there yet to an index of another cluster",
        )],
    ),
    (
        "journal checkpoint",
        &[("keybearer journal checkpoint > november", "A signed statement for somebody else to keep")],
    ),
    ("journal key", &[("keybearer journal key > journal.pub", "The public key by which others verify checkpoints")]),
    (
        "journal prove",
        &[("keybearer journal prove --entry 17 > entry-17.proof", "A proof for somebody who has no journal")],
    ),
    ("journal verify-proof", &[("keybearer journal verify-proof entry-17.proof", "Verify a proof")]),
    ("profiles", &[("keybearer profiles list", "The saved connections")]),
    ("profiles list", &[("keybearer profiles list -o json", "The saved connections, without their credentials")]),
    (
        "profiles save",
        &[
            (
                "keybearer profiles save prod --url https://es.example.net:9200 --environment production",
                "Save a connection with the credential from the environment",
            ),
            (
                "keybearer profiles save sso --environment staging --issuer https://id.example.net --client-id kb",
                "Save a connection with single sign-on",
            ),
        ],
    ),
    (
        "profiles setup",
        &[("keybearer profiles setup sso", "What the administrators have to set up for single sign-on")],
    ),
    (
        "profiles import",
        &[
            (
                "keybearer profiles import elasticsearch.yml --environment development",
                "Show the connection, ask, and save it",
            ),
            (
                "kubectl get secret -o yaml | keybearer profiles import - --environment staging --dry-run",
                "Show what would be saved from the Secrets of an ECK cluster",
            ),
        ],
    ),
    (
        "profiles export",
        &[("keybearer profiles export --output team.json", "All connections without secrets, for others")],
    ),
    (
        "profiles remove",
        &[("keybearer profiles remove old", "Remove a connection and its credential from the keyring")],
    ),
    ("policy", &[("keybearer policy show", "The rules that hold on this computer")]),
    ("policy show", &[("keybearer policy show -o json", "The rules that hold on this computer, as JSON")]),
    ("policy check", &[("keybearer policy check policy.toml", "The first fault of a file, with its line and column")]),
    ("config", &[("keybearer config show", "Each default, and where it comes from")]),
    ("config path", &[("keybearer config path", "The file with the defaults, also if there is none yet")]),
    ("config show", &[("keybearer config show -o json", "Each default, and where it comes from, as JSON")]),
    (
        "login",
        &[
            ("keybearer login --profile sso", "Sign in by the browser"),
            ("keybearer login --profile sso --device", "Sign in by the browser of another device"),
        ],
    ),
    ("logout", &[("keybearer logout --profile sso", "Remove the tokens of this connection from the keyring")]),
    (
        "completions",
        &[
            ("keybearer completions bash > ~/.local/share/bash-completion/completions/keybearer", "Set up bash"),
            ("keybearer completions fish > ~/.config/fish/completions/keybearer.fish", "Set up fish"),
            ("keybearer completions zsh > ~/.zfunc/_keybearer", "Set up zsh, where ~/.zfunc is in its fpath"),
        ],
    ),
    ("manual", &[("keybearer manual man1", "Write the manual pages into this folder")]),
    (
        "elasticsearch-create-api-key",
        &[(
            "elasticsearch-create-api-key --name my_app_key --role reader --expiration 1d --id my_app_id",
            "Create a key that has the privileges of the role reader for a day",
        )],
    ),
];

/// Returns the examples of a command by its names below the root, separated by spaces.
pub(in crate::cli) fn of(path: &str) -> &'static [Example] {
    EXAMPLES.iter().find(|(own, _)| *own == path).map_or(&[], |(_, examples)| examples)
}

/// Returns the number of all examples.
#[cfg(test)]
pub(super) fn count() -> usize {
    EXAMPLES.iter().map(|(_, examples)| examples.len()).sum()
}
