//! Short descriptions of what the privileges of Elasticsearch allow. A privilege without a description is no less real:
//! only its name is shown.

/// Returns what a cluster privilege allows; empty if it has no description.
pub fn cluster(name: &str) -> &'static str {
    find(CLUSTER, name)
}

/// Returns what an index privilege allows; empty if it has no description.
pub fn index(name: &str) -> &'static str {
    find(INDEX, name)
}

fn find(table: &[(&str, &'static str)], name: &str) -> &'static str {
    table.iter().find(|(own, _)| *own == name).map_or("", |(_, words)| words)
}

const CLUSTER: &[(&str, &str)] = &[
    ("all", "Everything on the cluster, security included"),
    ("cancel_task", "Cancels running tasks"),
    ("clone_api_key", "Clones API keys whose secret is known"),
    ("create_snapshot", "Takes snapshots into existing repositories"),
    ("cross_cluster_replication", "Lets another cluster follow indices of this one"),
    ("cross_cluster_search", "Lets another cluster search this one"),
    ("grant_api_key", "Creates API keys for other users, with their password or token"),
    ("manage", "Changes the cluster and its settings, except security"),
    ("manage_api_key", "Creates, reads and invalidates all API keys"),
    ("manage_autoscaling", "Changes autoscaling policies"),
    ("manage_ccr", "Sets up replication from other clusters"),
    ("manage_enrich", "Creates and runs enrich policies"),
    ("manage_ilm", "Changes index lifecycle policies, and starts and stops the lifecycle"),
    ("manage_index_templates", "Changes index and component templates"),
    ("manage_inference", "Changes inference endpoints"),
    ("manage_ingest_pipelines", "Changes ingest pipelines"),
    ("manage_logstash_pipelines", "Changes the pipelines that Logstash fetches"),
    ("manage_ml", "Changes machine learning jobs and models"),
    ("manage_own_api_key", "Creates, reads and invalidates its own API keys"),
    ("manage_pipeline", "Changes ingest pipelines"),
    ("manage_rollup", "Changes rollup jobs"),
    ("manage_search_application", "Changes search applications"),
    ("manage_search_synonyms", "Changes synonym sets"),
    ("manage_security", "Changes users, roles, role mappings and all API keys"),
    ("manage_service_account", "Creates and deletes tokens of service accounts"),
    ("manage_slm", "Changes snapshot lifecycle policies"),
    ("manage_token", "Creates and invalidates access tokens"),
    ("manage_transform", "Changes transforms"),
    ("manage_watcher", "Changes watches"),
    ("monitor", "Sees health, state, nodes, statistics and tasks"),
    ("monitor_enrich", "Sees enrich policies"),
    ("monitor_inference", "Sees inference endpoints"),
    ("monitor_ml", "Sees machine learning jobs"),
    ("monitor_snapshot", "Sees snapshots and repositories"),
    ("monitor_transform", "Sees transforms"),
    ("monitor_watcher", "Sees watches"),
    ("none", "Nothing"),
    ("read_ccr", "Sees what is replicated, and allows replicating it"),
    ("read_ilm", "Sees index lifecycle policies"),
    ("read_pipeline", "Sees ingest pipelines"),
    ("read_security", "Sees users, roles and API keys, but changes none"),
    ("read_slm", "Sees snapshot lifecycle policies"),
    ("transport_client", "For the former transport client"),
];

const INDEX: &[(&str, &str)] = &[
    ("all", "Everything with these indices"),
    ("auto_configure", "Creates indices and extends mappings automatically when documents are added"),
    ("create", "Adds documents; an existing one with the same id is replaced"),
    ("create_doc", "Adds documents, but changes none"),
    ("create_index", "Creates indices and data streams"),
    ("cross_cluster_replication", "Lets another cluster follow them"),
    ("cross_cluster_replication_internal", "Internal steps of replication"),
    ("delete", "Deletes documents"),
    ("delete_index", "Deletes indices and data streams"),
    ("index", "Adds and changes documents, and extends mappings"),
    ("maintenance", "Refreshes, flushes, merges"),
    ("manage", "Creates, changes, opens, closes and deletes indices"),
    ("manage_data_stream_lifecycle", "Changes how long data streams keep data"),
    ("manage_follow_index", "Sets up indices that follow others"),
    ("manage_ilm", "Moves indices through their lifecycle"),
    ("manage_leader_index", "Sets up indices that others follow"),
    ("monitor", "Sees statistics, segments and recoveries"),
    ("none", "Nothing"),
    ("read", "Searches, gets and counts documents"),
    ("read_cross_cluster", "Can be read from another cluster"),
    ("view_index_metadata", "Sees mappings, settings, aliases and whether they exist"),
    ("write", "Adds, changes and deletes documents"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::privileges;

    #[test]
    fn words_are_about_privileges_that_exist() {
        for (name, words) in CLUSTER {
            assert!(privileges::cluster_problem(name).is_none(), "{name}");
            assert_eq!(cluster(name), *words);
        }
        for (name, words) in INDEX {
            assert!(privileges::index_problem(name).is_none(), "{name}");
            assert_eq!(index(name), *words);
        }
        assert_eq!(cluster("post_behavioral_analytics_event"), "");
    }
}
