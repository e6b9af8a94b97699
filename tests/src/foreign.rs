//! A foreign site, on another name of this machine: it serves one page, and remembers what it was sent.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

/// Serves for as long as the test runs.
pub struct Foreign {
    /// `http://localhost:<port>`: for a browser another site than `http://127.0.0.1:<port>`.
    pub origin: String,
    page: Arc<Mutex<String>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Foreign {
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let origin = format!("http://localhost:{}", listener.local_addr()?.port());
        let (page, requests) = (
            Arc::<Mutex<String>>::default(),
            Arc::<Mutex<Vec<String>>>::default(),
        );
        let (shown, kept) = (page.clone(), requests.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let page = lock(&shown).clone();
                if let Ok(line) = answer(stream, &page) {
                    lock(&kept).push(line);
                }
            }
        });
        Ok(Self {
            origin,
            page,
            requests,
        })
    }

    /// What it serves from now on.
    pub fn shows(&self, page: String) {
        *lock(&self.page) = page;
    }

    /// The request lines so far, but for icons.
    pub fn requests(&self) -> Vec<String> {
        let requests = lock(&self.requests);
        requests
            .iter()
            .filter(|line| !line.contains("/favicon"))
            .cloned()
            .collect()
    }
}

fn answer(mut stream: std::net::TcpStream, page: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(std::time::Duration::from_secs(2)))?;
    let mut bytes = [0; 8_192];
    let length = stream.read(&mut bytes)?;
    let request = String::from_utf8_lossy(&bytes[..length]).into_owned();
    let line = request.lines().next().unwrap_or_default().to_owned();
    let (kind, body) = if line.contains(".js") {
        (
            "text/javascript",
            "window.parent.postMessage({groundcrew: 'submit', answer: {x: 1}}, '*')",
        )
    } else {
        ("text/html", page)
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nAccess-Control-Allow-Origin: *\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    Ok(line)
}

fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
