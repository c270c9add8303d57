//! Servers that break the rules of HTTP, or stop in the middle of it.

use std::time::{Duration, Instant};

use keybearer::{
    client::ClientError,
    model::{Timestamp, api_key::KeyId},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::client_servers::{IDENTITY, SECRET, Sockets, client, hasty_client, http, in_time, key, read_request};

/// Answers one request with these bytes and hangs up.
async fn answers(text: String) -> Sockets {
    Sockets::start(move |mut stream, _| {
        let text = text.clone();
        async move {
            if asks_for_tls(&stream).await {
                return;
            }
            read_request(&mut stream).await;
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

/// Whether it begins with a handshake: the client wants to know whether TLS is spoken here.
async fn asks_for_tls(stream: &TcpStream) -> bool {
    let mut first = [0; 1];
    stream.peek(&mut first).await.is_ok_and(|count| count == 1 && first[0] == 0x16)
}

async fn reset(mut stream: TcpStream) {
    if asks_for_tls(&stream).await {
        return;
    }
    read_request(&mut stream).await;
    stream.set_zero_linger().unwrap();
}

#[tokio::test]
async fn a_body_that_ends_too_early_is_a_broken_connection_with_its_status() {
    let server = answers("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"username\":".into()).await;
    let error = in_time(client(&server.url("http")).authenticate()).await.unwrap_err();
    assert!(matches!(error, ClientError::Broken { status: Some(200), maybe_sent: true, .. }), "{error:?}");
    assert_eq!(server.connections(), 3, "a read is tried three times");
}

#[tokio::test]
async fn a_refusal_that_ends_too_early_keeps_its_meaning() {
    let server = answers("HTTP/1.1 403 Forbidden\r\ncontent-length: 900\r\n\r\n<html>".into()).await;
    let error = in_time(client(&server.url("http")).authenticate()).await.unwrap_err();
    assert!(matches!(error, ClientError::Forbidden { .. }), "{error:?}");
    assert_eq!(error.status(), Some(403));
}

#[tokio::test]
async fn an_endless_body_is_not_read_to_its_end() {
    let server = Sockets::start(|mut stream, _| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        let chunk = [b"100000\r\n".as_slice(), &[b' '; 0x10_0000], b"\r\n"].concat();
        while stream.write_all(&chunk).await.is_ok() {}
    })
    .await;
    let error = in_time(client(&server.url("http")).authenticate()).await.unwrap_err();
    assert_eq!(error, ClientError::TooLarge { limit: 64 << 20, status: 200 });
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_endless_refusal_keeps_its_status() {
    let server = Sockets::start(|mut stream, _| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        while stream.write_all(&[b'x'; 1 << 16]).await.is_ok() {}
    })
    .await;
    let error = in_time(client(&server.url("http")).authenticate()).await.unwrap_err();
    assert_eq!(error.status(), Some(400));
}

#[tokio::test]
async fn endless_headers_are_given_up() {
    let server = Sockets::start(|mut stream, _| async move {
        if asks_for_tls(&stream).await {
            return;
        }
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        let line = format!("x-more: {}\r\n", "and more ".repeat(2000));
        while stream.write_all(line.as_bytes()).await.is_ok() {}
    })
    .await;
    let error = in_time(client(&server.url("http")).authenticate()).await.unwrap_err();
    assert!(matches!(error, ClientError::Broken { .. }), "{error:?}");
}

#[tokio::test]
async fn slow_bytes_end_with_the_time_of_the_profile() {
    let server = Sockets::start(|mut stream, _| async move {
        read_request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n").await;
        let mut drip = tokio::time::interval(Duration::from_millis(20));
        while stream.write_all(b" ").await.is_ok() {
            drip.tick().await;
        }
    })
    .await;
    let started = Instant::now();
    let error = in_time(hasty_client(&server.url("http"), 400).authenticate()).await.unwrap_err();
    assert_eq!(error, ClientError::TimedOut { after: Duration::from_millis(400), maybe_sent: true });
    assert!(started.elapsed() < Duration::from_secs(5), "the profile's time is for all tries together");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn silence_after_a_create_may_have_made_a_key() {
    let server = Sockets::start(|mut stream, _| async move {
        read_request(&mut stream).await;
        let _ = stream.read(&mut [0]).await;
    })
    .await;
    let error =
        in_time(hasty_client(&server.url("http"), 300).create_api_key(&key(), Timestamp::EPOCH)).await.unwrap_err();
    assert!(matches!(error, ClientError::TimedOut { maybe_sent: true, .. }) && error.is_answer_lost());
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_create_that_never_left_has_made_nothing() {
    // A handshake that nobody answers: the request waits behind it.
    let server = Sockets::start(|mut stream, _| async move {
        let mut bytes = [0; 4096];
        while stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
    })
    .await;
    let error =
        in_time(hasty_client(&server.url("https"), 300).create_api_key(&key(), Timestamp::EPOCH)).await.unwrap_err();
    assert!(matches!(error, ClientError::TimedOut { maybe_sent: false, .. }), "{error:?}");
    assert!(!error.is_answer_lost());
    assert_eq!(error.to_string(), "No connection within 300 ms");
}

#[tokio::test]
async fn a_create_is_not_repeated_after_a_reset() {
    let server = Sockets::start(|stream, _| reset(stream)).await;
    let error = in_time(client(&server.url("http")).create_api_key(&key(), Timestamp::EPOCH)).await.unwrap_err();
    assert!(matches!(error, ClientError::Broken { maybe_sent: true, status: None, .. }), "{error:?}");
    assert!(error.is_answer_lost());
    let requests = server.connections() - 1; // the last connection asks whether TLS is spoken there
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_create_whose_answer_breaks_off_may_have_made_a_key() {
    let server = answers("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"id\":\"x\",".into()).await;
    let error = in_time(client(&server.url("http")).create_api_key(&key(), Timestamp::EPOCH)).await.unwrap_err();
    assert!(error.is_answer_lost(), "{error:?}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn reads_and_invalidations_survive_a_reset() {
    let server = Sockets::start(|mut stream, _| async move {
        if asks_for_tls(&stream).await {
            return;
        }
        let request = read_request(&mut stream).await;
        if request.starts_with("GET") {
            let _ = stream.write_all(http("200 OK", IDENTITY).as_bytes()).await;
        } else {
            let body = r#"{"invalidated_api_keys":["a"],"previously_invalidated_api_keys":[],"error_count":0}"#;
            let _ = stream.write_all(http("200 OK", body).as_bytes()).await;
        }
    })
    .await;
    let port = server.port;
    // In front of it, somebody who resets every first connection after it has carried its request.
    let front = Sockets::start(move |mut stream, number| async move {
        if number == 1 {
            return reset(stream).await;
        }
        let mut behind = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
    })
    .await;
    let identity = in_time(client(&front.url("http")).authenticate()).await.unwrap();
    assert_eq!(identity.username, "ana");

    let front = Sockets::start(move |mut stream, number| async move {
        if number == 1 {
            return reset(stream).await;
        }
        let mut behind = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
    })
    .await;
    let done = in_time(client(&front.url("http")).invalidate(&[KeyId::new("a")], false)).await.unwrap();
    assert_eq!(done.invalidated, [KeyId::new("a")]);
}

#[tokio::test]
async fn nothing_listening_is_said_at_once() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let error = in_time(client(&format!("https://127.0.0.1:{port}")).create_api_key(&key(), Timestamp::EPOCH))
        .await
        .unwrap_err();
    assert!(matches!(&error, ClientError::Unreachable { reason } if reason.contains("refused")), "{error:?}");
    assert!(!error.is_answer_lost());
}

#[tokio::test]
async fn an_unknown_host_is_called_unknown() {
    let error = in_time(client("https://no-such-host.invalid:9200").authenticate()).await.unwrap_err();
    assert!(matches!(&error, ClientError::Unreachable { reason } if reason.contains("name")), "{error:?}");
}

#[tokio::test]
async fn https_to_a_plain_port_is_said_in_so_many_words() {
    let server = Sockets::start(|mut stream, _| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let error = in_time(client(&server.url("https")).create_api_key(&key(), Timestamp::EPOCH)).await.unwrap_err();
    assert_eq!(error, ClientError::TlsOnPlainPort);
    assert!(!error.is_answer_lost());
}

#[tokio::test]
async fn a_server_that_hangs_up_on_a_handshake_does_not_speak_tls() {
    let server = Sockets::start(|mut stream, _| async move {
        let _ = stream.read(&mut [0; 4096]).await;
    })
    .await;
    let error = in_time(client(&server.url("https")).authenticate()).await.unwrap_err();
    assert!(matches!(error, ClientError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn a_proxy_that_explains_that_it_wants_https_is_understood() {
    let server =
        answers("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n".into()).await;
    let error = in_time(client(&server.url("http")).authenticate()).await.unwrap_err();
    assert_eq!(error, ClientError::PlainOnTlsPort);
}

#[tokio::test]
async fn what_is_no_http_is_said_to_be_none() {
    let server = answers("220 mail.example.net ESMTP\r\n".into()).await;
    let error = in_time(client(&server.url("http")).create_api_key(&key(), Timestamp::EPOCH)).await.unwrap_err();
    assert!(matches!(&error, ClientError::Broken { reason, .. } if reason.contains("not HTTP")), "{error:?}");
    assert!(!format!("{error} {error:?}").contains(SECRET));
}

#[tokio::test]
async fn a_compressed_answer_is_read() {
    // gzip of {"username":"ana"}
    const PACKED: &[u8] = &[
        31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 171, 86, 42, 45, 78, 45, 202, 75, 204, 77, 85, 178, 82, 74, 204, 75, 84,
        170, 5, 0, 179, 206, 187, 233, 18, 0, 0, 0,
    ];
    let server = Sockets::start(|mut stream, _| async move {
        let request = read_request(&mut stream).await;
        assert!(request.to_lowercase().contains("accept-encoding: gzip"));
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", PACKED.len());
        let _ = stream.write_all(&[head.as_bytes(), PACKED].concat()).await;
    })
    .await;
    let identity = in_time(client(&server.url("http")).authenticate()).await.unwrap();
    assert_eq!(identity.username, "ana");
}

#[tokio::test]
async fn the_answer_with_the_secret_is_asked_for_uncompressed_and_the_request_tells_its_length() {
    let (send, mut requests) = tokio::sync::mpsc::channel(1);
    let server = Sockets::start(move |mut stream, _| {
        let send = send.clone();
        async move {
            let request = read_request(&mut stream).await;
            let body = r#"{"id":"x","name":"n","api_key":"s3cr3t","expiration":null,"odd":[1]}"#;
            let _ = stream.write_all(http("200 OK", body).as_bytes()).await;
            let _ = send.send(request).await;
        }
    })
    .await;
    let created = in_time(client(&server.url("http")).create_api_key(&key(), Timestamp::EPOCH)).await.unwrap();
    let request = in_time(requests.recv()).await.unwrap();
    assert!(request.starts_with("POST /_security/api_key HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("accept-encoding: identity"), "{request}");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
    assert_eq!(body, key().body(Timestamp::EPOCH));
    assert_eq!(created.secret.expose(), "s3cr3t");
    assert!(!format!("{created:?}").contains("s3cr3t"));
}
