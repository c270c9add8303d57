//! What the parts of requests are drawn from: right ones, and wrong ones of each kind.

/// Descriptors that a key may have; `@` stands for the prefix of the run.
pub const GOOD_DESCRIPTORS: &[&str] = &[
    r#"{}"#,
    r#"{"cluster":["monitor"]}"#,
    r#"{"cluster":["manage_own_api_key"]}"#,
    r#"{"cluster":["all"],"indices":[{"names":["@*"],"privileges":["all"]}]}"#,
    r#"{"indices":[{"names":["@-a"],"privileges":["read"]}]}"#,
    r#"{"indices":[{"names":["@-a","@-b"],"privileges":["read","write"],"allow_restricted_indices":false}]}"#,
    r#"{"indices":[{"names":["@-a"],"privileges":["read"],"query":{"term":{"b":true}}}]}"#,
    r#"{"indices":[{"names":["@-a"],"privileges":["read","view_index_metadata"],"query":"{\"range\":{\"n\":{\"gte\":2}}}","field_security":{"grant":["n","o.*"]}}]}"#,
    r#"{"indices":[{"names":["@-*"],"privileges":["read"],"field_security":{"grant":["*"],"except":["n","o.p"]}}]}"#,
    r#"{"indices":[{"names":["/@-[ab]/"],"privileges":["read","create_index"]}]}"#,
    r#"{"applications":[{"application":"@app","privileges":["read"],"resources":["*"]}]}"#,
    r#"{"applications":[{"application":"*","privileges":["*"],"resources":["a/*"]}]}"#,
    r#"{"run_as":["@-own"],"metadata":{"a":[1,[2,"x"]],"b":null},"transient_metadata":{"x":1}}"#,
    r#"{"remote_indices":[{"clusters":["*"],"names":["a"],"privileges":["read"]}],"remote_cluster":[{"privileges":["monitor_stats"],"clusters":["eu"]}]}"#,
    r#"{"global":{"application":{"manage":{"applications":["a"]}}}}"#,
    r#"{"global":{}}"#,
    r#"{"restriction":{},"cluster":["monitor"]}"#,
    r#"{"restriction":{"workflows":["search_application_query"]}}"#,
    r#"{"index":[{"names":"@-a","privileges":["Read"]}]}"#,
    r#"{"cluster":["cluster:monitor/*"],"indices":[{"names":[""],"privileges":["indices:data/read/*"]}]}"#,
    r#"{"cluster":null,"run_as":null}"#,
];

/// Descriptors that are refused.
pub const BAD_DESCRIPTORS: &[&str] = &[
    r#"{"indices":[{"names":["a"],"privileges":["read"],"field_security":{"except":["b"]}}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":["read"],"field_security":{}}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":["read"],"field_security":null}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":["read"],"field_security":{"grant":["a*"],"x":1}}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":["read"],"field_security":{"grant":["a"],"except":["b"]}}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":["read"],"field_security":{"grant":null}}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":["read","read"]}]}"#,
    r#"{"indices":[{"names":["a,b"],"privileges":["read"]}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":["read"],"query":5}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":["read"],"query":[1]}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":["read"],"allow_restricted_indices":"true"}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":null}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":[]}]}"#,
    r#"{"indices":[{"names":[],"privileges":["read"]}]}"#,
    r#"{"indices":[{"names":null,"privileges":["read"]}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":["nope"]}]}"#,
    r#"{"indices":[{"names":["/(/"],"privileges":["read"]}]}"#,
    r#"{"indices":[{"names":["a"],"privileges":["read"],"x":1}]}"#,
    r#"{"indices":[{"names":["a"]}]}"#,
    r#"{"indices":[5]}"#,
    r#"{"indices":{}}"#,
    r#"{"indices":null}"#,
    r#"{"cluster":["nope"]}"#,
    r#"{"cluster":"monitor"}"#,
    r#"{"cluster":[null]}"#,
    r#"{"cluster":[5]}"#,
    r#"{"remote_cluster":[{"privileges":[],"clusters":["*"]}]}"#,
    r#"{"remote_cluster":[{"privileges":["monitor_stats"],"clusters":[]}]}"#,
    r#"{"remote_cluster":[{"privileges":["nope"],"clusters":["a"]}]}"#,
    r#"{"remote_cluster":[{"privileges":["monitor_stats"]}]}"#,
    r#"{"remote_cluster":[{"privileges":["monitor_stats"],"clusters":[""]}]}"#,
    r#"{"remote_cluster":[{"privileges":["monitor_stats"],"clusters":["a"],"x":1}]}"#,
    r#"{"remote_cluster":null}"#,
    r#"{"remote_indices":[{"clusters":[""],"names":["a"],"privileges":["read"]}]}"#,
    r#"{"remote_indices":[{"names":["a"],"privileges":["read"]}]}"#,
    r#"{"applications":[{"application":"app","privileges":[],"resources":["*"]}]}"#,
    r#"{"applications":[{"application":"app","privileges":["read"],"resources":[]}]}"#,
    r#"{"applications":[{"application":"app","privileges":["read"]}]}"#,
    r#"{"applications":[{"application":"App","privileges":["read"],"resources":["*"]}]}"#,
    r#"{"applications":[{"application":"ap","privileges":["read"],"resources":["*"]}]}"#,
    r#"{"applications":[{"application":"app","privileges":["RE AD"],"resources":["*"]}]}"#,
    r#"{"applications":[{"application":"","privileges":["*"],"resources":["*"]}]}"#,
    r#"{"applications":[{"application":5,"privileges":["read"],"resources":["*"]}]}"#,
    r#"{"applications":[{"application":"app","privileges":null,"resources":["*"]}]}"#,
    r#"{"applications":[{"application":"app","privileges":["read"],"resources":["*"],"x":1}]}"#,
    r#"{"restriction":{"workflows":[]}}"#,
    r#"{"restriction":null}"#,
    r#"{"restriction":{"workflows":null}}"#,
    r#"{"restriction":{"x":1}}"#,
    r#"{"restriction":{"workflows":["nope"]}}"#,
    r#"{"global":{"role":{"write":{}}}}"#,
    r#"{"global":null}"#,
    r#"{"global":{"application":{"manage":{}}}}"#,
    r#"{"global":{"application":{"manage":{"applications":"a"}}}}"#,
    r#"{"global":{"x":{}}}"#,
    r#"{"metadata":null}"#,
    r#"{"metadata":{"_a":1}}"#,
    r#"{"transient_metadata":null}"#,
    r#"{"x":1}"#,
    r#"5"#,
    r#"null"#,
    r#"[]"#,
];

/// Metadata of keys.
pub const METADATA: &[&str] = &[
    r#"{}"#,
    r#"{"team":"pay","n":5}"#,
    r#"{"team":"ops","n":"7","tags":["a","z"]}"#,
    r#"{"team":"pay","list":[1,"1",[2],null],"deep":{"a":{"b":true}}}"#,
    r#"{"n":18446744073709551617,"m":-9223372036854775809,"e":1e400,"f":1.10}"#,
    r#"{"half":"x\ud8ffy","\udc00":1}"#,
    r#"{"a.b":1,"a":{"c":2}}"#,
    r#"{"tags":[]}"#,
];

/// Metadata that is refused.
pub const BAD_METADATA: &[&str] = &[r#"{"_a":1}"#, r#"5"#, r#"null"#, r#"[]"#];

/// Lifetimes, right and wrong.
pub const EXPIRATIONS: &[&str] =
    &["\"1d\"", "\"12h\"", "\"30D\"", "\"90 m\"", "\"1000000s\"", "\"0d\"", "\"-1d\"", "\"5micros\""];

/// Lifetimes that are refused.
pub const BAD_EXPIRATIONS: &[&str] = &["\"\"", "\"1y\"", "\"1.5d\"", "\"d\"", "5", "null", "\"-5d\"", "[]", "\"1M\""];

/// Names of keys besides the numbered ones; `@` stands for the prefix.
pub const NAMES: &[&str] = &["@ two words", "@-\\ud800", "@-é", "@-\\\"q\\\"", "@-\\u200f", "@-/*x*/"];

/// Names that are refused.
pub const BAD_NAMES: &[&str] = &["\"\"", "\" @\"", "\"@ \"", "\"_@\"", "5", "null", "[]", "{}"];

/// Fields of keys, those that no key has among them.
pub const FIELDS: &[&str] = &[
    "name",
    "username",
    "realm_name",
    "type",
    "creation",
    "expiration",
    "invalidation",
    "invalidated",
    "metadata.team",
    "metadata.n",
    "metadata.tags",
    "metadata.list",
    "metadata.nope",
];

/// Fields that no key may be asked by.
pub const BAD_FIELDS: &[&str] = &["role_descriptors", "nam*", "_id", "api_key_hash", "metadata.*"];

/// Values that queries ask for.
pub const VALUES: &[&str] = &[
    "\"pay\"",
    "\"ops\"",
    "5",
    "\"7\"",
    "\"a\"",
    "\"2\"",
    "true",
    "false",
    "\"rest\"",
    "\"cross_cluster\"",
    "\"default_native\"",
    "\"@-own\"",
    "\"@-k1\"",
    "\"@ two words\"",
    "1795000000000",
    "\"now\"",
    "\"now/d\"",
    "\"now-1d\"",
    "\"x\"",
    "\"\"",
];

/// Clauses of a range.
pub const BOUNDS: &[&str] = &[
    r#""gte":"now-1d""#,
    r#""lt":"now+1d""#,
    r#""gt":"a","lte":"z""#,
    r#""gte":"z","gt":"a""#,
    r#""gt":"a","gte":"z""#,
    r#""#,
    r#""gte":"now-1d/d","lte":"now/d""#,
    r#""gte":"01.01.2020","format":"dd.MM.yyyy""#,
    r#""gte":"2020-01","format":"yyyy-MM""#,
    r#""lte":"2020-01-01","format":"strict_date_optional_time""#,
    r#""gte":"x""#,
    r#""gte":0"#,
    r#""gt":"now-1d","time_zone":"+01:00""#,
    r#""gte":"now","time_zone":"x""#,
    r#""gte":"a","relation":"within""#,
    r#""gte":"a","relation":"x""#,
    r#""from":1"#,
    r#""gte":"a","format":"nope""#,
    r#""gt":null,"lt":"m""#,
    r#""gte":1,"boost":"x""#,
];

/// Options of a term, a prefix and a wildcard.
pub const TERM_OPTIONS: &[&str] = &[
    "",
    r#","case_insensitive":true"#,
    r#","case_insensitive":"x""#,
    r#","boost":2"#,
    r#","boost":"x""#,
    r#","x":1"#,
    r#","_name":"n""#,
];

/// Options of a match.
pub const MATCH_OPTIONS: &[&str] = &[
    "",
    r#","operator":"and""#,
    r#","operator":"x""#,
    r#","lenient":true"#,
    r#","lenient":"x""#,
    r#","fuzziness":0"#,
    r#","fuzziness":"x""#,
    r#","fuzziness":1"#,
    r#","analyzer":"whitespace""#,
    r#","zero_terms_query":"all""#,
    r#","zero_terms_query":"x""#,
    r#","max_expansions":0"#,
    r#","max_expansions":"x""#,
    r#","prefix_length":-1"#,
    r#","x":1"#,
];

/// How many optional clauses must match.
pub const LEAST: &[&str] =
    &["1", "2", "0", "-1", "\"100%\"", "\"50%\"", "\"1<100%\"", "\"-50%\"", "\"x\"", "1.5", "null", "{}", "5"];

/// Texts of simple queries.
pub const SIMPLE: &[&str] = &[
    "pay",
    "pay*",
    "@-k1 | @-k2",
    "\\\"@ two words\\\"",
    "-pay",
    "(pay | ops) + -x",
    "*",
    "",
    "pay~1",
    "pay\\\\ x",
    "\\\"a b\\\"~2",
    "5 7",
];

/// Options of simple queries.
pub const SIMPLE_OPTIONS: &[&str] = &[
    "",
    r#","fields":["name"]"#,
    r#","fields":["metadata.team","name^2"]"#,
    r#","fields":"name""#,
    r#","fields":["creation"]"#,
    r#","default_operator":"and""#,
    r#","default_operator":"x""#,
    r#","flags":"ALL""#,
    r#","flags":"x""#,
    r#","flags":"NONE""#,
    r#","lenient":true"#,
    r#","lenient":"x""#,
    r#","x":1"#,
    r#","analyzer":"x""#,
];

/// Options of a sort.
pub const SORT_OPTIONS: &[&str] = &[
    "",
    r#""order":"desc""#,
    r#""order":"x""#,
    r#""missing":"_first""#,
    r#""missing":"zz""#,
    r#""missing":5"#,
    r#""mode":"max""#,
    r#""mode":"min","order":"desc""#,
    r#""mode":"avg""#,
    r#""mode":"x""#,
    r#""mode":5"#,
    r#""format":"yyyy""#,
    r#""format":"epoch_second""#,
    r#""format":"strict_date_optional_time""#,
    r#""format":"nope""#,
    r#""numeric_type":"double""#,
    r#""numeric_type":"date_nanos""#,
    r#""numeric_type":"x""#,
    r#""nested":{"path":"a"}"#,
    r#""nested":5"#,
    r#""unmapped_type":"long""#,
    r#""x":1"#,
    r#""order":5"#,
];

/// Aggregations over keys.
pub const AGGS: &[&str] = &[
    r#"{"terms":{"field":"metadata.team"}}"#,
    r#"{"terms":{"field":"metadata.list"}}"#,
    r#"{"terms":{"field":"username","order":{"_key":"asc"}}}"#,
    r#"{"terms":{"field":"type","size":1}}"#,
    r#"{"terms":{"field":"metadata.n","missing":"none","order":{"_key":"desc"}}}"#,
    r#"{"cardinality":{"field":"metadata.list"}}"#,
    r#"{"value_count":{"field":"metadata.tags"}}"#,
    r#"{"missing":{"field":"expiration"}}"#,
    r#"{"date_range":{"field":"expiration","ranges":[{"from":"now-1d","to":"now+2d","key":"soon"}]}}"#,
    r#"{"range":{"field":"creation","ranges":[{"from":0}]}}"#,
    r#"{"filter":{"term":{"metadata.team":"pay"}}}"#,
    r#"{"filters":{"filters":{"p":{"term":{"metadata.team":"pay"}},"i":{"term":{"invalidated":true}}}}}"#,
    r#"{"composite":{"sources":[{"t":{"terms":{"field":"metadata.team"}}},{"y":{"terms":{"field":"type"}}}]}}"#,
    r#"{"terms":{"field":"role_descriptors"}}"#,
    r#"{"terms":{"field":"nope"}}"#,
    r#"{"terms":{}}"#,
    r#"{"nope":{"field":"name"}}"#,
    r#"{}"#,
    r#"{"avg":{"field":"creation"}}"#,
    r#"{"terms":{"field":"name","x":1}}"#,
    r#"{"cardinality":{"field":"name","precision_threshold":-1}}"#,
    r#"{"terms":{"field":"metadata.team"},"aggs":{"n":{"value_count":{"field":"name"}}}}"#,
    r#"{"terms":{"field":"metadata.team","size":0}}"#,
];

/// Cluster privileges to ask about.
pub const CLUSTER: &[&str] = &[
    "all",
    "monitor",
    "manage",
    "manage_security",
    "manage_own_api_key",
    "manage_api_key",
    "read_security",
    "grant_api_key",
    "manage_ilm",
    "read_ilm",
    "manage_pipeline",
    "cluster:monitor/main",
    "cluster:admin/xpack/security/*",
    "transport_client",
    "manage_token",
    "MONITOR",
];

/// Index privileges to ask about.
pub const INDEX: &[&str] = &[
    "all",
    "read",
    "write",
    "index",
    "create",
    "create_doc",
    "delete",
    "manage",
    "view_index_metadata",
    "monitor",
    "create_index",
    "auto_configure",
    "maintenance",
    "read_cross_cluster",
    "indices:data/read/search",
    "indices:data/write/*",
    "Read",
];

/// Names of indices to ask about.
pub const INDICES: &[&str] = &["@-a", "@-b", "@-*", "@-x", "*", "", "a", "@-a*", ".security-7", "@-?"];

/// Documents. None begins with a comment: 9.5.3 takes such a document and then fails to read it (500
/// `not_x_content_exception`), which the practice cluster does not imitate; all that follows would differ.
pub const DOCUMENTS: &[&str] = &[
    r#"{"t":"Hello World","n":1,"b":true,"d":"2026-01-01"}"#,
    r#"{"t":"hello","n":2,"b":false}"#,
    r#"{"n":3,"o":{"p":1,"q":"x"}}"#,
    r#"{"t":["a","b"],"n":[4,5],"o":[{"p":2},{"q":"y"}]}"#,
    r#"{}"#,
    r#"{"n":null}"#,
    r#"{"t":"x\ud800"}"#,
    r#"{"n":1.0,"f":1.10}"#,
    r#"{"n":9}"#,
];

/// Documents that are refused.
pub const BAD_DOCUMENTS: &[&str] =
    &[r#"{"n":"x"}"#, r#"{"b":"x"}"#, r#"{"d":"x"}"#, r#"{"":1}"#, r#"{"_id":1}"#, r#"5"#, r#"[]"#, r#"{"o":5}"#];

/// Parameters of writes, wrong ones among them.
pub const WRITE_PARAMS: &[&str] = &[
    "",
    "",
    "",
    "if_seq_no=99&if_primary_term=1",
    "if_seq_no=0",
    "if_primary_term=1",
    "if_seq_no=-1&if_primary_term=1",
    "if_seq_no=x&if_primary_term=1",
    "version=3",
    "version=50&version_type=external",
    "version=3&version_type=external_gte",
    "version_type=external",
    "version=x",
    "version=1&version_type=x",
    "require_alias=true",
    "require_alias=x",
    "wait_for_active_shards=x",
    "timeout=x",
    "timeout=1",
    "x=1",
];

/// Queries of documents.
pub const SEARCHES: &[&str] = &[
    r#"{"match_all":{}}"#,
    r#"{"term":{"n":1}}"#,
    r#"{"term":{"b":true}}"#,
    r#"{"term":{"t.keyword":"hello"}}"#,
    r#"{"match":{"t":"hello"}}"#,
    r#"{"terms":{"n":[1,2]}}"#,
    r#"{"range":{"n":{"gte":2,"lt":5}}}"#,
    r#"{"range":{"d":{"gte":"2026","lte":"2026"}}}"#,
    r#"{"exists":{"field":"o"}}"#,
    r#"{"exists":{"field":"t"}}"#,
    r#"{"prefix":{"t.keyword":"he"}}"#,
    r#"{"ids":{"values":["1","2"]}}"#,
    r#"{"bool":{"must_not":{"term":{"n":1}}}}"#,
    r#"{"bool":{"should":[{"term":{"n":1}},{"term":{"n":2}}],"minimum_should_match":"100%"}}"#,
    r#"{"match_none":{}}"#,
    r#"{"term":{"nope":1}}"#,
    r#"{"wildcard":{"t.keyword":"*o*"}}"#,
    r#"{"nope":{}}"#,
    r#"{"term":{}}"#,
    r#"{"term":{"n":"x"}}"#,
    r#"{"regexp":{"t":"h.*"}}"#,
    r#"5"#,
    r#"{"term":{"d":"2026-01-01"}}"#,
    r#"{"range":{"d":{"gte":"now-10y/y"}}}"#,
    r#"{"term":{"o.p":1}}"#,
];
