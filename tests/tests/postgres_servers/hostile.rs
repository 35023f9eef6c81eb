//! People who mean no good (RELIABILITY F68, S57): slow heads, slow bodies, a gigabyte, nesting, floods of headers and of connections. Each
//! gets its answer or its end within bounds, the server's memory stays flat, and everybody else is answered meanwhile. Loopback only.

use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::{Client, StatusCode};
use rustix::process::{Signal, kill_process};
use serde_json::json;
use shopwright_system_tests::real::{Detached, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::people::{post, register, token};

const MIB: u64 = 1024 * 1024;
/// A debug build on a busy machine; each limit of the server is a fraction of it.
const PATIENCE: Duration = Duration::from_secs(40);

/// The server's resident memory in bytes, as the kernel counts it.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid().as_raw_nonzero())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().map_or(0, |kib| kib * 1024)
}

async fn connect(server: &Server) -> anyhow::Result<TcpStream> {
    Ok(TcpStream::connect(server.base.trim_start_matches("http://")).await?)
}

/// What comes back until the connection ends, as far as it can be read. Somebody who is cut off in the middle of writing may read nothing.
async fn rest(stream: &mut TcpStream) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    // A reset is an end, too.
    let _ = timeout(PATIENCE, stream.take(64 * 1024).read_to_end(&mut bytes)).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// A server, its memory once it is warm, and somebody's token.
struct Scene {
    _parts: Detached,
    server: Server,
    http: Client,
    token: String,
    before: u64,
}

impl Scene {
    async fn set() -> anyhow::Result<Self> {
        let parts = Detached::create(&[]).await?;
        let server = parts.server().await?;
        let http = Client::new();
        let token = token(&register(&http, &server.base, "ada").await?);
        for _ in 0..50 {
            http.get(format!("{}/api/v1/stores", server.base)).bearer_auth(&token).send().await?;
        }
        let before = resident(&server);
        anyhow::ensure!(before > MIB, "no memory can be read");
        Ok(Self { _parts: parts, server, http, token, before })
    }

    fn grown(&self, what: &str) -> u64 {
        let grown = resident(&self.server).saturating_sub(self.before);
        println!("{what}: {} MiB at first, {} MiB more now", self.before / MIB, grown / MIB);
        grown
    }

    /// That others are answered, and how fast.
    async fn others_are_answered(&self) -> anyhow::Result<Duration> {
        let start = Instant::now();
        let answer =
            self.http.get(format!("{}/api/v1/stores", self.server.base)).bearer_auth(&self.token).send().await?;
        anyhow::ensure!(answer.status() == StatusCode::OK, "{answer:?}");
        Ok(start.elapsed())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f68_a_head_that_does_not_come_ends_and_nobody_waits_for_it() -> anyhow::Result<()> {
    // F68: slowloris, 200 at once, one byte a second each.
    let scene = Scene::set().await?;
    let slow = (0..200).map(|_| async {
        let mut stream = connect(&scene.server).await?;
        let start = Instant::now();
        stream.write_all(b"GET /api/v1/stores HTTP/1.1\r\nhost: a\r\n").await?;
        // Until the server has had enough of it.
        while start.elapsed() < PATIENCE {
            if stream.write_all(b"x").await.is_err() {
                break;
            }
            let mut byte = [0; 1];
            if let Ok(read) = timeout(Duration::from_secs(1), stream.peek(&mut byte)).await
                && read.is_ok()
            {
                break;
            }
        }
        anyhow::Ok((rest(&mut stream).await?, start.elapsed()))
    });
    let others = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            slowest = slowest.max(scene.others_are_answered().await?);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::Ok(slowest)
    };

    let (slow, slowest) = futures::join!(join_all(slow), others);

    for ended in slow {
        let (answer, after) = ended?;
        assert!(after < Duration::from_secs(30), "{after:?}");
        assert!(answer.is_empty() || (400..500).contains(&status(&answer)), "{answer}");
    }
    println!("the slowest of the others took {:?}", slowest?);
    assert!(scene.grown("200 slow heads") < 32 * MIB);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f68_a_body_that_does_not_come_is_408() -> anyhow::Result<()> {
    // F68.
    let scene = Scene::set().await?;
    let slow = (0..50).map(|_| async {
        let mut stream = connect(&scene.server).await?;
        let start = Instant::now();
        let head = format!(
            "POST /api/v1/stores HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{{",
            scene.token
        );
        stream.write_all(head.as_bytes()).await?;
        anyhow::Ok((rest(&mut stream).await?, start.elapsed()))
    });

    for ended in join_all(slow).await {
        let (answer, after) = ended?;
        assert_eq!(status(&answer), 408, "{answer}");
        assert!(answer.contains("\"REQUEST_TIMEOUT\"") && after < Duration::from_secs(30), "{after:?}");
    }
    assert!(scene.grown("50 slow bodies") < 32 * MIB);
    Ok(())
}

/// Writes what `head` announces until the server has had enough: its answer, and how many bytes it took.
async fn pour(server: &Server, head: &str, chunked: bool, total: u64) -> anyhow::Result<(String, u64)> {
    let mut stream = connect(server).await?;
    stream.write_all(head.as_bytes()).await?;
    let (mut reader, mut writer) = stream.split();
    let piece = vec![b' '; 64 * 1024];
    let mut poured = 0;
    let mut answer = Vec::new();
    let pouring = async {
        while poured < total {
            let framed = if chunked {
                let mut framed = format!("{:x}\r\n", piece.len()).into_bytes();
                framed.extend_from_slice(&piece);
                framed.extend_from_slice(b"\r\n");
                framed
            } else {
                piece.clone()
            };
            if writer.write_all(&framed).await.is_err() {
                return;
            }
            poured += piece.len() as u64;
        }
    };
    let reading = async {
        // A reset is an end, too.
        let _ = (&mut reader).take(64 * 1024).read_to_end(&mut answer).await;
    };
    timeout(PATIENCE, async {
        tokio::select! {
            () = reading => {}
            () = async { pouring.await; std::future::pending::<()>().await } => {}
        }
    })
    .await?;
    Ok((String::from_utf8_lossy(&answer).into_owned(), poured))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f68_a_gigabyte_is_not_taken() -> anyhow::Result<()> {
    // F68: announced, and in chunks that announce nothing.
    const GIGABYTE: u64 = 1024 * MIB;
    let scene = Scene::set().await?;
    let head = |framing: &str| {
        format!(
            "POST /api/v1/stores HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n{framing}\r\n\r\n",
            scene.token
        )
    };
    let announced = head(&format!("content-length: {GIGABYTE}"));
    let chunked = head("transfer-encoding: chunked");
    let pouring = (0..8).map(|number| async move {
        let chunks = number % 2 == 1;
        (chunks, number)
    });

    for (chunks, number) in join_all(pouring).await {
        let head = if chunks { &chunked } else { &announced };
        let (answer, taken) = pour(&scene.server, head, chunks, GIGABYTE).await?;
        println!("{number}: {} KiB were taken from the socket, status {}", taken / 1024, status(&answer));
        assert!(answer.is_empty() || status(&answer) == 413, "{answer}");
        // The server goes on reading for a moment after its answer and throws away what it reads: what counts is that it keeps none of it.
    }
    assert!(scene.grown("a gigabyte, eight times") < 32 * MIB);
    scene.others_are_answered().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f68_a_body_that_is_refused_unread_is_not_waited_for() -> anyhow::Result<()> {
    // F68: nobody has shown who they are, so nobody reads: in chunks without an end, and announced and not sent.
    const ENDLESS: u64 = 64 * 1024 * MIB;
    let scene = Scene::set().await?;
    let head = |framing: &str| format!("POST /api/v1/stores HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n");
    let (answer, taken) = pour(&scene.server, &head("transfer-encoding: chunked"), true, ENDLESS).await?;
    println!("{} KiB were taken from the socket, status {}", taken / 1024, status(&answer));
    assert!(answer.is_empty() || status(&answer) == 401, "{answer}");

    let mut silent = connect(&scene.server).await?;
    silent.write_all(head("content-length: 1000").as_bytes()).await?;
    let answer = rest(&mut silent).await?;
    assert_eq!(status(&answer), 401, "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f68_nesting_is_refused_and_not_followed() -> anyhow::Result<()> {
    // F68: the deepest that fits into a body.
    let scene = Scene::set().await?;
    let deep = format!("{{\"name\":{}{}}}", "[".repeat(120_000), "]".repeat(120_000));
    for _ in 0..20 {
        for key in [None, Some("deep")] {
            let mut request = scene.http.post(format!("{}/api/v1/stores", scene.server.base)).bearer_auth(&scene.token);
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            let answer = request.header("content-type", "application/json").body(deep.clone()).send().await?;
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
            assert!(answer.text().await?.contains("INVALID_JSON"));
        }
    }
    assert!(scene.grown("240,000 brackets, forty times") < 32 * MIB);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f68_floods_of_headers_are_cut_off() -> anyhow::Result<()> {
    // F68: many, and long ones.
    let scene = Scene::set().await?;
    for _ in 0..20 {
        for header in ["x-a: b\r\n".repeat(100_000), format!("x-long: {}\r\n", "b".repeat(1_000_000))] {
            let mut stream = connect(&scene.server).await?;
            stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n").await?;
            // The server ends the connection in the middle of it.
            let _ = stream.write_all(header.as_bytes()).await;
            let answer = rest(&mut stream).await?;
            assert!(answer.is_empty() || (400..500).contains(&status(&answer)), "{answer}");
        }
    }
    assert!(scene.grown("a megabyte of headers, forty times") < 32 * MIB);
    scene.others_are_answered().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f68_a_burst_of_connections_waits_until_it_is_accepted() -> anyhow::Result<()> {
    // F68, S57: the server cannot accept anything meanwhile, as on a machine that is busy.
    let scene = Scene::set().await?;
    kill_process(scene.server.pid(), Signal::STOP)?;
    let burst = join_all((0..500).map(|_| timeout(Duration::from_secs(10), connect(&scene.server)))).await;
    kill_process(scene.server.pid(), Signal::CONT)?;

    let mut burst: Vec<_> = burst.into_iter().map(|connected| connected?).collect::<anyhow::Result<_>>()?;
    for stream in &mut burst {
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await?;
    }
    for mut stream in burst {
        let answer = rest(&mut stream).await?;
        assert_eq!(status(&answer), 200, "{answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f68_a_thousand_idle_connections_keep_nobody_out() -> anyhow::Result<()> {
    // F68, S57.
    let scene = Scene::set().await?;
    let idle: Vec<_> =
        join_all((0..1_000).map(|_| connect(&scene.server))).await.into_iter().collect::<anyhow::Result<_>>()?;

    let mut slowest = Duration::ZERO;
    for _ in 0..10 {
        slowest = slowest.max(scene.others_are_answered().await?);
    }

    println!("with {} idle connections the slowest of the others took {slowest:?}", idle.len());
    assert!(scene.grown("1,000 idle connections") < 64 * MIB);
    // They do not stay for ever.
    let start = Instant::now();
    for mut stream in idle {
        let answer = rest(&mut stream).await?;
        assert!(answer.is_empty() || (400..500).contains(&status(&answer)), "{answer}");
    }
    println!("all of them were ended within {:?}", start.elapsed());
    assert!(start.elapsed() < PATIENCE);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s6_five_hundred_sign_ins_at_once_take_bounded_memory_and_keep_nobody_out() -> anyhow::Result<()> {
    // S6: each password costs 19 MiB and a while; few are hashed at once, some wait, and whoever comes then is asked to come back.
    let scene = Scene::set().await?;
    let bodies: Vec<_> = (0..500)
        .map(|number| json!({"email": format!("nobody-{number}@example.com"), "password": "wrong wrong"}))
        .collect();
    let attempts = bodies.iter().map(|body| post(&scene.http, &scene.server.base, "/auth/login", None, None, body));
    let others = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            slowest = slowest.max(scene.others_are_answered().await?);
        }
        anyhow::Ok(slowest)
    };

    let (answers, slowest) = futures::join!(join_all(attempts), others);

    let mut judged = 0;
    for answer in answers {
        let answer = answer?;
        match answer.status {
            StatusCode::UNAUTHORIZED => judged += 1,
            status => {
                assert_eq!((status.as_u16(), answer.code().as_str()), (503, "SERVICE_UNAVAILABLE"), "{answer:?}");
                assert_ne!(answer.header("retry-after"), "");
            }
        }
    }
    println!("{judged} of 500 passwords were looked at; the slowest of the others took {:?}", slowest?);
    assert!(judged >= 2, "{judged}");
    // What the pool's threads keep, and 500 connections; a thread for each that waits would keep a gigabyte.
    assert!(scene.grown("500 sign-ins") < 320 * MIB);
    Ok(())
}
