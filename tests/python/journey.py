"""The article, word for word: a key made by elasticsearch-create-api-key, used by the official client,
refused where it may not, and refused altogether once it is invalidated."""
import os
import subprocess
import sys
import uuid

from elasticsearch import ApiError, Elasticsearch

BINARIES = sys.argv[1]


def run(program, *arguments):
    done = subprocess.run([os.path.join(BINARIES, program), *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    assert done.returncode == 0, (program, arguments, done.returncode, done.stderr)
    return done.stdout


def status_of(call):
    try:
        call()
    except ApiError as error:
        return error.meta.status
    return 200


def prepare():
    """What the sandbox brings along: the role `reader` and the index `my_index`."""
    admin = Elasticsearch(os.environ["ES_URL"], ca_certs=os.environ["ES_CA_FILE"],
                          basic_auth=(os.environ["ES_USERNAME"], os.environ["ES_PASSWORD"]))
    admin.security.put_role(name="reader", cluster=["monitor"], indices=[
        {"names": ["my_index"], "privileges": ["read", "view_index_metadata"]}])
    admin.index(index="my_index", id="1", document={"title": "Hello"}, refresh=True)


def clients(key_id, key_secret):
    """As in the article, and as it should be."""
    yield Elasticsearch(os.environ["ES_URL"], api_key=(key_id, key_secret), verify_certs=False,
                        ssl_show_warn=False, request_timeout=60)
    yield Elasticsearch(os.environ["ES_URL"], api_key=(key_id, key_secret), ca_certs=os.environ["ES_CA_FILE"],
                        request_timeout=60)


def main():
    if "--prepare" in sys.argv:
        prepare()
    application_id = f"my_app_{uuid.uuid4().hex[:8]}"
    printed = run("elasticsearch-create-api-key", "--name", "my_app_key", "--role", "reader",
                  "--expiration", "1d", "--id", application_id)
    lines = printed.splitlines()
    assert len(lines) == 2 and lines[0].startswith("id: ") and lines[1].startswith("key: "), lines
    key_id, key_secret = lines[0][4:], lines[1][5:]

    for es in clients(key_id, key_secret):
        assert es.info()["version"]["number"]
        found = es.search(index="my_index", query={"match_all": {}})
        assert found["hits"]["total"]["value"] >= 1, found
        assert status_of(lambda: es.index(index="my_index", document={"a": 1})) == 403
        assert status_of(lambda: es.search(index="another_index", query={"match_all": {}})) == 403

    shown = run("keybearer", "show", application_id, "--output", "json")
    assert key_id in shown and key_secret not in shown
    run("keybearer", "invalidate", application_id, "--yes")
    for es in clients(key_id, key_secret):
        assert status_of(lambda: es.search(index="my_index", query={"match_all": {}})) == 401
    print("search allowed, writing 403, after invalidating 401")


main()
