//! Texts for stores that keep secrets for other programs: Kubernetes, systemd, files of the environment, and the
//! keystore of a cluster that reaches another one.

use zeroize::Zeroizing;

use super::{
    Key, KeyText, Site,
    quote::{Quote, dotenv as dotenv_text, double, environment_file, joined, shell, unit},
};

/// Writes the address and both forms of the key, one line each.
fn lines(site: Site<'_>, key: &KeyText, quote: Quote, lead: &str, between: &str) -> Zeroizing<String> {
    joined(&[
        lead,
        "ES_URL",
        between,
        &quote(site.url),
        "\n",
        lead,
        "ES_API_KEY",
        between,
        &quote(key.encoded.expose()),
        "\n",
        lead,
        "ES_API_KEY_RAW",
        between,
        &quote(key.raw.expose()),
        "\n",
    ])
}

/// Writes a manifest with the key itself, or by reference the command that creates it from the environment, where the
/// secret is on no command line.
pub(super) fn kubernetes(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    match key {
        Key::Literal(key) => joined(&[
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: elasticsearch-api-key\ntype: Opaque\nstringData:\n",
            &lines(site, key, double, "  ", ": "),
        ]),
        Key::Reference => joined(&[
            "# For bash: made of the environment. With files, of which each holds one value and no line end:\n\
             #   kubectl create secret generic elasticsearch-api-key --from-file=ES_API_KEY --from-file=ES_API_KEY_RAW\n\
             kubectl create secret generic elasticsearch-api-key --from-env-file=<(\n  \
             printf 'ES_URL=%s\\nES_API_KEY=%s\\nES_API_KEY_RAW=%s\\n' ",
            &shell(site.url),
            " \"$ES_API_KEY\" \"$ES_API_KEY_RAW\"\n)\n",
        ]),
    }
}

/// Writes a file of the environment with the key itself, or by reference the part of a unit that loads credentials.
pub(super) fn systemd(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    match key {
        Key::Literal(key) => joined(&[
            "# /etc/my-service/elasticsearch.env, of root and with mode 0600. In the unit:\n\
             # [Service]\n# EnvironmentFile=/etc/my-service/elasticsearch.env\n",
            &lines(site, key, environment_file, "", "="),
        ]),
        Key::Reference => joined(&[
            "# The files are of root and have mode 0600; the service finds the values in\n\
             # $CREDENTIALS_DIRECTORY/ES_API_KEY and $CREDENTIALS_DIRECTORY/ES_API_KEY_RAW.\n[Service]\n\
             Environment=\"ES_URL=",
            &unit(site.url),
            "\"\nLoadCredential=ES_API_KEY:/etc/my-service/es-api-key\n\
             LoadCredential=ES_API_KEY_RAW:/etc/my-service/es-api-key-raw\n",
        ]),
    }
}

pub(super) fn dotenv(site: Site<'_>, key: Key<'_>) -> Zeroizing<String> {
    match key {
        Key::Literal(key) => lines(site, key, dotenv_text, "", "="),
        Key::Reference => joined(&[
            "# ES_API_KEY and ES_API_KEY_RAW come from the environment and are not written down here.\nES_URL=",
            &dotenv_text(site.url),
            "\n",
        ]),
    }
}

/// Passes the key by standard input: everybody on the machine can read a command line.
pub(super) fn remote_cluster(key: Key<'_>) -> Zeroizing<String> {
    const ADD: &str = "bin/elasticsearch-keystore add --stdin cluster.remote.my_remote.credentials";
    const RELOAD: &str = "# On every node; then once, on the same cluster:\n# POST _nodes/reload_secure_settings\n";
    match key {
        Key::Literal(key) => joined(&[ADD, " <<'END'\n", key.encoded.expose(), "\nEND\n", RELOAD]),
        Key::Reference => joined(&["printf '%s' \"$ES_API_KEY\" | ", ADD, "\n", RELOAD]),
    }
}
