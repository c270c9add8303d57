//! Random requests about keys, users, roles, privileges and documents; all that they touch begins with the prefix of the
//! run, so that nothing of anybody else on the node is read or changed. Nothing is asked of all keys, and none of the
//! superuser's keys is ended by owner or name.

use super::fields::*;
use reqwest::Method;

/// Whoever sends a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Caller {
    /// `elastic`.
    Superuser,
    /// A user of the run.
    User(String),
    /// The key with this number.
    Key(usize),
}

/// A request.
#[derive(Debug, Clone)]
pub struct Sent {
    pub caller: Caller,
    pub method: Method,
    pub path: String,
    pub body: Option<String>,
    /// The owner of the key that it may make.
    owner: Option<Caller>,
}

struct Made {
    owner: Caller,
    cross: bool,
}

/// No body.
const NOTHING: Option<String> = None;

/// Draws requests.
pub struct Grammar {
    prefix: String,
    state: u64,
    keys: Vec<Made>,
    named: usize,
}

/// Users of a run, and the roles that they have alone.
const USERS: &[(&str, &str)] = &[
    ("own", r#"{"cluster":["manage_own_api_key"]}"#),
    ("mgr", r#"{"cluster":["manage_api_key"],"indices":[{"names":["@-*"],"privileges":["all"]}]}"#),
    (
        "sec",
        r#"{"cluster":["manage_security","monitor"],"indices":[{"names":["@-*"],"privileges":["read","write","create_index","view_index_metadata"]}],"applications":[{"application":"@app","privileges":["*"],"resources":["*"]}]}"#,
    ),
    ("rdr", r#"{"cluster":["read_security"],"indices":[{"names":["@-a"],"privileges":["read"]}],"run_as":["@-own"]}"#),
    (
        "dls",
        r#"{"cluster":["manage_own_api_key"],"indices":[{"names":["@-a"],"privileges":["read","view_index_metadata"],"query":{"term":{"b":true}},"field_security":{"grant":["n","b","o.p"]}},{"names":["@-b"],"privileges":["write"]}]}"#,
    ),
    (
        "idx",
        r#"{"cluster":["monitor","grant_api_key"],"indices":[{"names":["@-*"],"privileges":["manage","write","read"]}]}"#,
    ),
    ("few", r#"{"cluster":["none"]}"#),
];

impl Grammar {
    pub fn new(seed: u64, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), state: seed, keys: Vec::new(), named: 0 }
    }

    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.draw() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    /// Whether something happens that does so in so many of a hundred.
    fn percent(&mut self, of_hundred: usize) -> bool {
        self.below(100) < of_hundred
    }

    /// One of a list, with the prefix put in.
    fn one(&mut self, list: &[&str]) -> String {
        let at = self.below(list.len());
        list[at].replace('@', &self.prefix)
    }

    fn user(&self, name: &str) -> Caller {
        Caller::User(format!("{}-{name}", self.prefix))
    }

    fn someone(&mut self) -> Caller {
        match self.below(10) {
            0 | 1 if !self.keys.is_empty() => Caller::Key(self.below(self.keys.len())),
            2 => Caller::Superuser,
            _ => {
                let at = self.below(USERS.len());
                self.user(USERS[at].0)
            }
        }
    }

    fn sent(caller: Caller, method: Method, path: impl Into<String>, body: impl Into<Option<String>>) -> Sent {
        Sent { caller, method, path: path.into(), body: body.into(), owner: None }
    }

    /// What is there before the first random request: roles, users, indices with documents, and a key of each user.
    pub fn preparation(&mut self) -> Vec<Sent> {
        let (mut sent, admin, p) = (Vec::new(), Caller::Superuser, self.prefix.clone());
        for (name, role) in USERS {
            let role = role.replace('@', &p);
            sent.push(Self::sent(admin.clone(), Method::PUT, format!("/_security/role/{p}-{name}"), role));
            let body = format!(r#"{{"password":"{}","roles":["{p}-{name}"]}}"#, crate::server::PASSWORD);
            sent.push(Self::sent(admin.clone(), Method::PUT, format!("/_security/user/{p}-{name}"), body));
        }
        for index in ["a", "b"] {
            let body = r#"{"settings":{"number_of_replicas":0},"mappings":{"properties":{"n":{"type":"long"},"b":{"type":"boolean"},"d":{"type":"date"},"o":{"properties":{"p":{"type":"long"}}}}}}"#;
            sent.push(Self::sent(admin.clone(), Method::PUT, format!("/{p}-{index}"), body.to_owned()));
            for (number, body) in DOCUMENTS.iter().take(3).enumerate() {
                let body = (*body).to_owned();
                sent.push(Self::sent(
                    admin.clone(),
                    Method::PUT,
                    format!("/{p}-{index}/_doc/{number}?refresh=true"),
                    body,
                ));
            }
        }
        for (number, name) in ["own", "mgr", "sec", "dls"].into_iter().enumerate() {
            let owner = self.user(name);
            let body = format!(
                r#"{{"name":"{p}-k{number}","expiration":"{}d","role_descriptors":{{"r":{}}},"metadata":{}}}"#,
                number + 1,
                GOOD_DESCRIPTORS[number].replace('@', &p),
                METADATA[number]
            );
            let create = Self::sent(owner.clone(), Method::POST, "/_security/api_key?refresh=true", body);
            sent.push(Sent { owner: Some(owner), ..create });
            self.named += 1;
        }
        sent
    }

    /// Remembers that a key was made.
    pub fn made(&mut self, sent: &Sent) {
        let owner = sent.owner.clone().unwrap_or_else(|| sent.caller.clone());
        self.keys.push(Made { owner, cross: sent.path.contains("cross_cluster") });
    }

    /// What remains to be removed on a real node, besides the keys.
    pub fn leftovers(&self) -> Vec<String> {
        let p = &self.prefix;
        let mut paths = vec![format!("/{p}-a,{p}-b,{p}-x,{p}-new,{p}-nope?ignore_unavailable=true")];
        for (name, _) in USERS.iter().chain(&[("new", ""), ("other", "")]) {
            paths.push(format!("/_security/user/{p}-{name}"));
            paths.push(format!("/_security/role/{p}-{name}"));
        }
        paths.push(format!("/_security/privilege/{p}app/read,write"));
        paths
    }

    /// The next request.
    pub fn next(&mut self) -> Sent {
        match self.below(100) {
            0..14 => self.create(),
            14..17 => self.update(),
            17..24 => self.get(),
            24..44 => self.query(),
            44..46 => self.invalidate(),
            46..50 => self.cross_cluster(),
            50..58 => self.has_privileges(),
            58..62 => self.whoami(),
            62..68 => self.roles(),
            68..72 => self.users(),
            72..75 => self.applications(),
            75..86 => self.document(),
            86..96 => self.search(),
            _ => self.frame(),
        }
    }

    /// The number of some key, by a word that each server fills with its own id.
    fn id(&mut self) -> String {
        match self.below(12) {
            0 => "nope".to_owned(),
            _ => format!("⟦id {}⟧", self.below(self.keys.len())),
        }
    }

    fn key_name(&mut self) -> String {
        if self.percent(80) {
            self.named += 1;
            format!("\"{}-k{}\"", self.prefix, self.named)
        } else {
            format!("\"{}\"", self.one(NAMES))
        }
    }

    /// A body to create a key with at most one mistake.
    fn key_body(&mut self, wrong: bool) -> String {
        let mistake = if wrong { self.below(7) } else { usize::MAX };
        let name = if mistake == 0 { self.one(BAD_NAMES) } else { self.key_name() };
        let mut fields = vec![format!("\"name\":{name}")];
        if mistake == 1 || self.percent(70) {
            let value = if mistake == 1 { self.one(BAD_EXPIRATIONS) } else { self.one(EXPIRATIONS) };
            fields.push(format!("\"expiration\":{value}"));
        }
        if mistake == 2 || self.percent(60) {
            let value = if mistake == 2 { self.one(BAD_METADATA) } else { self.one(METADATA) };
            fields.push(format!("\"metadata\":{value}"));
        }
        if (3..6).contains(&mistake) || self.percent(85) {
            let value = if (3..6).contains(&mistake) { self.one(BAD_DESCRIPTORS) } else { self.one(GOOD_DESCRIPTORS) };
            fields.push(format!("\"role_descriptors\":{{\"r\":{value}}}"));
        }
        if mistake == 6 {
            let extra = self.one(&["\"x\":1", "\"nam\":\"a\"", "\"expirations\":\"1d\""]);
            fields.push(extra);
        }
        format!("{{{}}}", fields.join(","))
    }

    fn create(&mut self) -> Sent {
        let wrong = self.percent(75);
        let body = self.key_body(wrong);
        match self.below(10) {
            0 => self.grant(wrong, &body),
            1 if !self.keys.is_empty() => self.clone_key(wrong),
            _ => {
                let caller = self.someone();
                let method = if self.percent(80) { Method::POST } else { Method::PUT };
                Self::sent(caller, method, "/_security/api_key?refresh=true", body)
            }
        }
    }

    fn grant(&mut self, wrong: bool, key: &str) -> Sent {
        let caller = if self.percent(60) { self.user("idx") } else { self.someone() };
        let owner = self.user("own");
        let Caller::User(name) = &owner else { unreachable!() };
        let password = if wrong && self.percent(30) { "wrong-password" } else { crate::server::PASSWORD };
        let kind = if wrong { self.one(&["password", "password", "access_token", "x"]) } else { "password".to_owned() };
        let body = format!(r#"{{"grant_type":"{kind}","username":"{name}","password":"{password}","api_key":{key}}}"#);
        let sent = Self::sent(caller, Method::POST, "/_security/api_key/grant?refresh=true", body);
        Sent { owner: Some(owner), ..sent }
    }

    fn clone_key(&mut self, wrong: bool) -> Sent {
        let number = self.below(self.keys.len());
        let name = if wrong && self.percent(50) { self.one(BAD_NAMES) } else { self.key_name() };
        let source = if wrong && self.percent(30) { "x".to_owned() } else { format!("⟦key {number}⟧") };
        let caller = if self.percent(60) { self.user("mgr") } else { self.someone() };
        let owner = self.keys[number].owner.clone();
        let body = format!(r#"{{"api_key":"{source}","name":{name}}}"#);
        let sent = Self::sent(caller, Method::POST, "/_security/api_key/clone?refresh=true", body);
        Sent { owner: Some(owner), ..sent }
    }

    fn update(&mut self) -> Sent {
        let number = self.below(self.keys.len());
        let caller = if self.percent(70) { self.keys[number].owner.clone() } else { self.someone() };
        let id = if self.percent(90) { format!("⟦id {number}⟧") } else { "nope".to_owned() };
        let field = match self.below(8) {
            0 => format!("\"metadata\":{}", self.one(METADATA)),
            1 => format!("\"metadata\":{}", self.one(BAD_METADATA)),
            2 => format!("\"expiration\":{}", self.one(EXPIRATIONS)),
            3 => format!("\"expiration\":{}", self.one(BAD_EXPIRATIONS)),
            4 => format!("\"role_descriptors\":{{\"r\":{}}}", self.one(GOOD_DESCRIPTORS)),
            5 => format!("\"role_descriptors\":{{\"r\":{}}}", self.one(BAD_DESCRIPTORS)),
            6 => "\"x\":1".to_owned(),
            _ => String::new(),
        };
        if self.percent(50) {
            return Self::sent(caller, Method::PUT, format!("/_security/api_key/{id}"), format!("{{{field}}}"));
        }
        let ids =
            self.one(&["[\"#\"]", "\"#\"", "[\"#\",\"#\",\"nope\"]", "[]", "[\"\"]", "5", "null"]).replace('#', &id);
        let comma = if field.is_empty() { "" } else { "," };
        Self::sent(caller, Method::POST, "/_security/api_key/_bulk_update", format!("{{\"ids\":{ids}{comma}{field}}}"))
    }

    fn get(&mut self) -> Sent {
        let caller = self.someone();
        let p = self.prefix.clone();
        let id = self.id();
        let more =
            self.one(&["", "", "&with_limited_by=true", "&active_only=true", "&with_limited_by=x", "&owner=x", "&x=1"]);
        // Whoever may see all keys asks by a name or a user of the run.
        let what = match self.below(9) {
            0 => format!("id={id}"),
            1 => format!("name={p}-k1"),
            2 => format!("name={p}*"),
            3 => format!("username={p}-own"),
            4 => format!("username={p}-own&realm_name=default_native"),
            5 => format!("id={id}&name={p}-k1"),
            6 => format!("name=%20&username={p}-own"),
            7 => format!("id=%20&realm_name=%20&username={p}-mgr"),
            _ if caller != Caller::Superuser => {
                self.one(&["owner=true", "owner=true&id=%20", "owner=true&username=x", "owner=true&name=@-k*"])
            }
            _ => format!("name={p}%20two%20words"),
        };
        Self::sent(caller, Method::GET, format!("/_security/api_key?{what}{more}"), NOTHING)
    }

    fn clause(&mut self, depth: usize) -> String {
        let field = if self.percent(95) { self.one(FIELDS) } else { self.one(BAD_FIELDS) };
        let value = self.one(VALUES);
        match self.below(if depth > 1 { 9 } else { 11 }) {
            0 => format!(r#"{{"term":{{"{field}":{value}}}}}"#),
            1 => format!(r#"{{"term":{{"{field}":{{"value":{value}{}}}}}}}"#, self.one(TERM_OPTIONS)),
            2 => format!(r#"{{"terms":{{"{field}":["now",{value}]}}}}"#),
            3 => format!(r#"{{"match":{{"{field}":{{"query":{value}{}}}}}}}"#, self.one(MATCH_OPTIONS)),
            4 => {
                let kind = self.one(&["prefix", "wildcard"]);
                let text = self.one(&["\"pa\"", "\"p*\"", "\"@*\"", "\"@-k?\"", "5", "\"\""]);
                format!(r#"{{"{kind}":{{"{field}":{{"value":{text}{}}}}}}}"#, self.one(TERM_OPTIONS))
            }
            5 => format!(r#"{{"exists":{{"field":"{field}"}}}}"#),
            6 | 7 => format!(r#"{{"range":{{"{field}":{{{}}}}}}}"#, self.one(BOUNDS)),
            8 => {
                if self.percent(40) {
                    return self.one(&[
                        r#"{"match_all":{}}"#,
                        r#"{"match_all":{"x":1}}"#,
                        r#"{"match_none":{}}"#,
                        r#"{"ids":{"values":[]}}"#,
                        r#"{"ids":{"values":null}}"#,
                        r#"{"ids":{"values":"a"}}"#,
                        r#"{"nope":{}}"#,
                        r#"{"regexp":{"name":"a"}}"#,
                        r#"{"terms":{"name":[null]}}"#,
                        r#"{"terms":{"name":[["a"]]}}"#,
                        r#"{}"#,
                        r#"{"term":{}}"#,
                        r#"{"term":5}"#,
                        r#"{"bool":{"boost":null}}"#,
                        r#"{"exists":{}}"#,
                        r#"{"match":{"name":null}}"#,
                    ]);
                }
                let text = self.one(SIMPLE);
                format!(r#"{{"simple_query_string":{{"query":"{text}"{}}}}}"#, self.one(SIMPLE_OPTIONS))
            }
            _ => {
                let mut parts = Vec::new();
                for kind in ["must", "should", "filter", "must_not"] {
                    if self.percent(45) {
                        let clauses: Vec<String> = (0..=self.below(2)).map(|_| self.clause(depth + 1)).collect();
                        parts.push(format!("\"{kind}\":[{}]", clauses.join(",")));
                    }
                }
                if self.percent(40) {
                    parts.push(format!("\"minimum_should_match\":{}", self.one(LEAST)));
                }
                format!(r#"{{"bool":{{{}}}}}"#, parts.join(","))
            }
        }
    }

    fn query(&mut self) -> Sent {
        let caller = self.someone();
        let clause = self.clause(0);
        let mine = format!(r#"{{"prefix":{{"name":"{}"}}}}"#, self.prefix);
        let mut parts = vec![format!(r#""query":{{"bool":{{"filter":[{mine},{clause}]}}}}"#)];
        if self.percent(50) {
            let field = if self.percent(95) { self.one(FIELDS) } else { self.one(BAD_FIELDS) };
            let options = self.one(SORT_OPTIONS);
            // The name makes the order certain; who shares it is made in the same order on both.
            parts.push(format!(r#""sort":[{{"{field}":{{{options}}}}},"name","creation"]"#));
            if self.percent(30) {
                let after = self.one(&[
                    "\"a\",\"a\",0",
                    "0,\"a\",0",
                    "null,\"a\",0",
                    "\"x\"",
                    "{},\"a\",0",
                    "\"2026-01-01\",\"a\",0",
                ]);
                parts.push(format!("\"search_after\":[{after}]"));
            }
        }
        parts.push(self.one(&[
            "\"size\":1000",
            "\"size\":0",
            "\"size\":1000,\"from\":0",
            "\"size\":-1",
            "\"size\":10001",
            "\"size\":\"x\"",
            "\"size\":1000",
        ]));
        if self.percent(35) {
            parts.push(format!("\"aggs\":{{\"a\":{}}}", self.one(AGGS)));
        }
        if self.percent(3) {
            parts.push("\"x\":1".to_owned());
        }
        let params = self.one(&[
            "",
            "",
            "",
            "?with_limited_by=true",
            "?typed_keys=true",
            "?with_limited_by=x",
            "?x=1",
            "?filter_path=total,api_keys.name",
        ]);
        Self::sent(
            caller,
            Method::POST,
            format!("/_security/_query/api_key{params}"),
            format!("{{{}}}", parts.join(",")),
        )
    }

    /// Ends single keys, and those of users of the run; never by a name or an owner that others could have.
    fn invalidate(&mut self) -> Sent {
        let (id, p) = (self.id(), self.prefix.clone());
        let caller = self.someone();
        let body = match self.below(10) {
            0 | 1 => format!(r#"{{"ids":["{id}"]}}"#),
            2 => format!(r#"{{"ids":["{id}","{id}","nope"]}}"#),
            3 => format!(r#"{{"name":"{p}-k3"}}"#),
            4 => format!(r#"{{"name":" ","username":"{p}-dls"}}"#),
            5 => format!(r#"{{"name":"{p}-k1","username":"{p}-dls"}}"#),
            6 => r#"{"name":" "}"#.to_owned(),
            7 => r#"{"ids":[""]}"#.to_owned(),
            8 => r#"{"ids":5}"#.to_owned(),
            _ => format!(r#"{{"ids":["{id}"],"x":1}}"#),
        };
        Self::sent(caller, Method::DELETE, "/_security/api_key", body)
    }

    fn cross_cluster(&mut self) -> Sent {
        let caller = if self.percent(60) { self.user("sec") } else { self.someone() };
        let access = self.one(&[
            r#"{"search":[{"names":["a"]}]}"#,
            r#"{"replication":[{"names":["a","b*"]}]}"#,
            r#"{"search":[{"names":["a"],"query":{"term":{"x":1}},"field_security":{"grant":["a"]}}]}"#,
            r#"{"search":[{"names":["a"],"field_security":{"except":["b"]}}]}"#,
            r#"{"search":[{"names":["a"],"privileges":["read"]}]}"#,
            r#"{"search":[]}"#,
            r#"{}"#,
            r#"{"x":1}"#,
            r#"5"#,
            r#"null"#,
            r#"{"search":[{"names":[]}]}"#,
            r#"{"search":[{"names":["a"],"field_security":{"grant":["a"]}}],"replication":[{"names":["a"]}]}"#,
        ]);
        if self.percent(70) {
            let name = self.key_name();
            let body = format!(r#"{{"name":{name},"access":{access}}}"#);
            return Self::sent(caller, Method::POST, "/_security/cross_cluster/api_key", body);
        }
        let number = self.keys.iter().position(|key| key.cross).unwrap_or(0);
        let body = format!(r#"{{"access":{access}}}"#);
        Self::sent(caller, Method::PUT, format!("/_security/cross_cluster/api_key/⟦id {number}⟧"), body)
    }

    fn has_privileges(&mut self) -> Sent {
        let caller = self.someone();
        let (mut parts, mut wrong) = (Vec::new(), false);
        if self.percent(70) {
            let names: Vec<String> = (0..=self.below(3)).map(|_| format!("\"{}\"", self.one(CLUSTER))).collect();
            parts.push(format!("\"cluster\":[{}]", names.join(",")));
        }
        if self.percent(70) {
            let (index, one, two) = (self.one(INDICES), self.one(INDEX), self.one(INDEX));
            let more = self.one(&[
                "",
                "",
                ",\"allow_restricted_indices\":true",
                ",\"query\":\"x\"",
                ",\"x\":1",
                ",\"field_security\":{\"grant\":[\"a\"]}",
            ]);
            wrong = !more.is_empty() && !more.contains("allow");
            parts.push(format!(r#""index":[{{"names":["{index}"],"privileges":["{one}","{two}"]{more}}}]"#));
        }
        if !wrong && self.percent(30) {
            let grant = self.one(&[
                r#"{"application":"@app","privileges":["read"],"resources":["*"]}"#,
                r#"{"application":"@app","privileges":["read"],"resources":["a/b","x"]}"#,
                r#"{"application":"*","privileges":["x"],"resources":["*"]}"#,
                r#"{"application":"ap","privileges":["x"],"resources":["*"]}"#,
                r#"{"application":"app","privileges":[],"resources":["*"]}"#,
                r#"{"application":"app","privileges":["x"],"resources":[]}"#,
            ]);
            parts.push(format!("\"application\":[{grant}]"));
        }
        if self.percent(5) {
            parts = vec![self.one(&["\"x\":1", "\"cluster\":[\"nope\"]", "\"cluster\":5"])];
        }
        Self::sent(caller, Method::POST, "/_security/user/_has_privileges", format!("{{{}}}", parts.join(",")))
    }

    fn whoami(&mut self) -> Sent {
        let caller = self.someone();
        let path = self.one(&[
            "/_security/_authenticate",
            "/_security/user/_privileges",
            "/_security/_authenticate?x=1",
            "/_security/privilege/_builtin",
        ]);
        Self::sent(caller, Method::GET, path, NOTHING)
    }

    fn roles(&mut self) -> Sent {
        let caller = if self.percent(70) { self.user("sec") } else { self.someone() };
        let p = self.prefix.clone();
        let good = self.percent(40);
        let descriptor = if good { self.one(GOOD_DESCRIPTORS) } else { self.one(BAD_DESCRIPTORS) };
        match self.below(8) {
            0 => {
                let name = self.one(&[
                    "superuser",
                    "viewer",
                    "kibana_system",
                    "@-own",
                    "@-nope",
                    "@-own,viewer",
                    "beats_system",
                    "watcher_admin",
                ]);
                Self::sent(caller, Method::GET, format!("/_security/role/{name}"), NOTHING)
            }
            1 | 2 => Self::sent(caller, Method::PUT, format!("/_security/role/{p}-new"), descriptor),
            3 => {
                let name = self.one(&["superuser", "%20x", "x%20", "%C3%A9"]);
                Self::sent(caller, Method::PUT, format!("/_security/role/{name}"), "{}".to_owned())
            }
            4 => Self::sent(
                caller,
                Method::DELETE,
                format!("/_security/role/{}", self.one(&["@-new", "@-nope", "viewer"])),
                None,
            ),
            5 => {
                let body = format!(r#"{{"roles":{{"{p}-new":{descriptor},"{p}-other":{{}}}}}}"#);
                Self::sent(caller, Method::POST, "/_security/role", body)
            }
            6 => {
                let names = self.one(&["[\"@-new\",\"@-other\",\"@-nope\"]", "[\"superuser\"]", "[]", "5"]);
                Self::sent(caller, Method::DELETE, "/_security/role", format!("{{\"names\":{names}}}"))
            }
            _ => Self::sent(
                caller,
                Method::POST,
                self.one(&[
                    "/_security/role/@-own/_clear_cache",
                    "/_security/api_key/x/_clear_cache",
                    "/_security/realm/x/_clear_cache",
                    "/_security/privilege/x/_clear_cache",
                ]),
                None,
            ),
        }
    }

    fn users(&mut self) -> Sent {
        let caller = if self.percent(70) { self.user("sec") } else { self.someone() };
        let p = self.prefix.clone();
        match self.below(6) {
            0 => {
                let name = self.one(&["@-own", "@-nope", "elastic", "kibana", "@-own,@-mgr", "beats_system"]);
                Self::sent(caller, Method::GET, format!("/_security/user/{name}"), NOTHING)
            }
            1 | 2 => {
                let body = self.one(&[
                    r#"{"password":"new-password","roles":["@-own"],"full_name":"N","email":"n@x","metadata":{"a":1}}"#,
                    r#"{"roles":[]}"#,
                    r#"{"password":"short","roles":[]}"#,
                    r#"{"password":"new-password"}"#,
                    r#"{"password":"new-password","roles":"a,b"}"#,
                    r#"{"password":"new-password","roles":[],"metadata":{"_a":1}}"#,
                    r#"{"password":"new-password","roles":[],"x":1}"#,
                    r#"{"password":5,"roles":[]}"#,
                    r#"{"password":"new-password","roles":[],"enabled":"x"}"#,
                    r#"5"#,
                ]);
                Self::sent(caller, Method::PUT, format!("/_security/user/{p}-new"), body)
            }
            3 => {
                let path =
                    self.one(&["@-new/_disable", "@-new/_enable", "@-nope/_enable", "@-new/_enable?refresh=true"]);
                Self::sent(caller, Method::PUT, format!("/_security/user/{path}"), NOTHING)
            }
            4 => Self::sent(
                caller,
                Method::DELETE,
                format!("/_security/user/{}", self.one(&["@-new", "@-nope", "kibana"])),
                None,
            ),
            _ => {
                let query = self.one(&[
                    r#"{"term":{"username":"@-own"}}"#,
                    r#"{"prefix":{"username":"@"}}"#,
                    r#"{"wildcard":{"username":"@-*"}}"#,
                    r#"{"term":{"password":"x"}}"#,
                    r#"{"bool":{"filter":[{"prefix":{"username":"@"}},{"term":{"enabled":true}}]}}"#,
                    r#"{"regexp":{"username":"x"}}"#,
                    r#"{"terms":{"roles":["@-own","@-mgr"]}}"#,
                ]);
                let sort = self.one(&[
                    "\"username\"",
                    "{\"username\":{\"order\":\"desc\"}}",
                    "\"full_name\"",
                    "\"metadata.a\"",
                ]);
                let body = format!(r#"{{"query":{query},"sort":[{sort}],"size":100}}"#);
                Self::sent(caller, Method::POST, "/_security/_query/user", body)
            }
        }
    }

    fn applications(&mut self) -> Sent {
        let caller = if self.percent(70) { self.user("sec") } else { self.someone() };
        let p = self.prefix.clone();
        match self.below(4) {
            0 | 1 => {
                let privilege = self.one(&[
                    r#"{"actions":["data:read/*"]}"#,
                    r#"{"actions":["data:read/*"],"metadata":{"a":1}}"#,
                    r#"{"actions":[]}"#,
                    r#"{"actions":["x"]}"#,
                    r#"{}"#,
                    r#"{"actions":["a:b"],"x":1}"#,
                    r#"{"actions":["a:b"],"metadata":null}"#,
                    r#"5"#,
                    r#"{"application":"y","actions":["a:b"]}"#,
                ]);
                let name = self.one(&["read", "write", "Read", "read"]);
                Self::sent(
                    caller,
                    Method::PUT,
                    "/_security/privilege",
                    format!(r#"{{"{p}app":{{"{name}":{privilege}}}}}"#),
                )
            }
            2 => Self::sent(
                caller,
                Method::GET,
                self.one(&[
                    "/_security/privilege/@app",
                    "/_security/privilege/@app/read",
                    "/_security/privilege/@app/nope",
                    "/_security/privilege/@*",
                ]),
                None,
            ),
            _ => Self::sent(
                caller,
                Method::DELETE,
                self.one(&["/_security/privilege/@app/read", "/_security/privilege/@app/nope"]),
                None,
            ),
        }
    }

    fn document(&mut self) -> Sent {
        let caller = if self.percent(60) { self.user("idx") } else { self.someone() };
        let index = self.one(&["@-a", "@-b", "@-a", "@-b", "@-nope", "@*"]);
        let id = self.one(&["0", "1", "2", "3", "gone"]);
        let body = if self.percent(80) { self.one(DOCUMENTS) } else { self.one(BAD_DOCUMENTS) };
        let params = self.one(WRITE_PARAMS);
        let and = if params.is_empty() { String::new() } else { format!("&{params}") };
        match self.below(12) {
            // An index that is not there would be made on the way.
            0..4 if !index.ends_with("nope") => {
                Self::sent(caller, Method::PUT, format!("/{index}/_doc/{id}?refresh=true{and}"), body)
            }
            4 => Self::sent(caller, Method::DELETE, format!("/{index}/_doc/{id}?refresh=true{and}"), NOTHING),
            5 if !index.ends_with("nope") => {
                let body = self.one(&[
                    r#"{"doc":{"n":7}}"#,
                    r#"{"doc":{"n":7},"doc_as_upsert":true}"#,
                    r#"{"doc":5}"#,
                    r#"{}"#,
                    r#"{"doc":{"n":7},"x":1}"#,
                    r#"{"doc":{"n":7},"detect_noop":false}"#,
                ]);
                Self::sent(caller, Method::POST, format!("/{index}/_update/{id}?refresh=true"), body)
            }
            6 if !index.ends_with("nope") => {
                Self::sent(caller, Method::PUT, format!("/{index}/_create/{id}?refresh=true"), body)
            }
            7 => {
                let p = self.prefix.clone();
                let line = self.one(&[
                    r#"{"index":{"_index":"@-b","_id":"5"}}"#,
                    r#"{"create":{"_index":"@-b","_id":"5"}}"#,
                    r#"{"index":{"_index":"@-b","_id":"5","if_seq_no":99,"if_primary_term":1}}"#,
                    r#"{"index":{"_index":"@-b","_id":"5","x":1}}"#,
                    r#"{"index":{"_id":"5"}}"#,
                    r#"{"nope":{}}"#,
                    r#"{"index":{"_index":"@-b","_id":"5","require_alias":true}}"#,
                ]);
                let second = format!("{{\"delete\":{{\"_index\":\"{p}-b\",\"_id\":\"5\"}}}}\n");
                let body = if body.contains('\n') { "{}".to_owned() } else { body };
                Self::sent(caller, Method::POST, "/_bulk?refresh=true", format!("{line}\n{body}\n{second}"))
            }
            _ => {
                let params = self.one(&[
                    "",
                    "",
                    "?version=99",
                    "?version=x",
                    "?_source=n",
                    "?_source=false",
                    "?_source_excludes=o",
                    "?realtime=x",
                    "?op_type=index",
                    "?preference=x",
                ]);
                let kind = self.one(&["_doc", "_doc", "_source"]);
                Self::sent(caller, Method::GET, format!("/{index}/{kind}/{id}{params}"), NOTHING)
            }
        }
    }

    fn search(&mut self) -> Sent {
        let caller = self.someone();
        let index = self.one(&["@-a", "@-a", "@-b", "@-a,@-b", "@-*", "@-nope", "@-a,@-nope"]);
        let query = self.one(SEARCHES);
        let params = self.one(&[
            "",
            "",
            "",
            "&ignore_unavailable=true",
            "&allow_no_indices=false",
            "&ignore_unavailable=x",
            "&x=1",
        ]);
        match self.below(10) {
            0..5 => {
                let sort = self.one(&[
                    "\"n\"",
                    "{\"n\":\"desc\"}",
                    "\"n\"",
                    "\"t.keyword\"",
                    "\"t\"",
                    "\"nope\"",
                    "{\"d\":{\"order\":\"desc\"}}",
                    "\"b\"",
                ]);
                let size = self.one(&["100", "100", "0", "-1", "10001"]);
                let more = self.one(&[
                    "",
                    "",
                    ",\"_source\":[\"n\"]",
                    ",\"_source\":false",
                    ",\"version\":true",
                    ",\"seq_no_primary_term\":true",
                    ",\"x\":1",
                    ",\"from\":-1",
                ]);
                // One mistake at most: of two each server names another first.
                let more = if size == "100" { more } else { String::new() };
                let (sort, query) =
                    if size == "100" { (sort, query) } else { ("\"n\"".to_owned(), SEARCHES[0].to_owned()) };
                let body = format!(r#"{{"query":{query},"sort":[{sort}],"size":{size}{more}}}"#);
                Self::sent(caller, Method::POST, format!("/{index}/_search?track_total_hits=true{params}"), body)
            }
            5 | 6 => Self::sent(
                caller,
                Method::POST,
                format!("/{index}/_count?pretty{params}"),
                format!("{{\"query\":{query}}}"),
            ),
            7 => {
                let fields = self.one(&["n,b", "t,t.keyword", "o,o.p", "nope"]);
                Self::sent(caller, Method::GET, format!("/{index}/_field_caps?fields={fields}{params}"), NOTHING)
            }
            8 => {
                let path = self.one(&[
                    "/@-a/_mapping",
                    "/@-a",
                    "/@-*/_mapping",
                    "/_resolve/index/@-*",
                    "/@-nope/_mapping",
                    "/@-a/_mapping?ignore_unavailable=true",
                ]);
                Self::sent(caller, Method::GET, path, NOTHING)
            }
            _ => {
                let body = self.one(&[
                    r#"{}"#,
                    r#"{"settings":{"number_of_replicas":"x"}}"#,
                    r#"{"settings":5}"#,
                    r#"{"mappings":{"nope":1}}"#,
                    r#"{"x":1}"#,
                    r#"{"settings":{"nope":1}}"#,
                    r#"{"mappings":{"properties":{"a":{"type":"nope"}}}}"#,
                    r#"{"mappings":{"properties":{"a":{}}}}"#,
                    r#"{"aliases":5}"#,
                ]);
                if self.percent(50) {
                    Self::sent(caller, Method::PUT, self.one(&["/@-new", "/@-A", "/@-a", "/@-*"]), body)
                } else {
                    Self::sent(
                        caller,
                        Method::DELETE,
                        self.one(&["/@-new", "/@-nope", "/@-new?ignore_unavailable=true"]),
                        None,
                    )
                }
            }
        }
    }

    fn frame(&mut self) -> Sent {
        let caller = self.someone();
        let bodies = [
            "{",
            "{\"name\"",
            "{\"name\":}",
            "nonsense",
            "{\"a\":1,\"a\":2}",
            "[1,",
            "\u{feff}{\"x\":1}",
            "/* c */{\"x\":1}",
            "// c\n{\"x\":1}",
            "{\"x\":01}",
            "{\"x\":+1}",
            "{\"x\":1.}",
            "{\"x\":-}",
            "{\"x\":[1,]}",
            "{\"x\":\"\\q\"}",
            "{\"x\":\"\u{1}\"}",
            "{x:1}",
            "/x",
            "/*",
            "{\"x\":NaN}",
            "{\"x\":\"a",
            "{\"x\":tru}",
        ];
        match self.below(4) {
            0 => {
                let body = self.one(&bodies);
                Self::sent(caller, Method::POST, "/_security/api_key", body)
            }
            1 => {
                let body = self.one(&bodies);
                Self::sent(caller, Method::POST, "/_security/user/_has_privileges", body)
            }
            2 => Self::sent(
                caller,
                Method::GET,
                self.one(&[
                    "/",
                    "/_license",
                    "/_nope",
                    "/_security/api_key/x",
                    "/_nodes",
                    "/_security/role_mapping",
                    "/_cat/health",
                ]),
                None,
            ),
            _ => {
                let path = self.one(&[
                    "/_security/_authenticate",
                    "/_security/api_key",
                    "/_security/_query/api_key",
                    "/_security/role/@-own",
                ]);
                let method = [Method::PATCH, Method::PUT, Method::HEAD][self.below(3)].clone();
                let body = (method == Method::PUT).then(|| "{}".to_owned());
                Self::sent(caller, method, path, body)
            }
        }
    }
}
