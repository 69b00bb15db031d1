//! An OpenAI-compatible server: requests with timeouts, retries and a limit on how many are under way.
//!
//! Memory: one request and one answer (at most 4 MiB) a request under way.
//! Order: none; callers ask from several threads.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use realsyn_record::uniform;
use thiserror::Error;
use ureq::Agent;

use crate::chat::{Content, Message, Request, Response, SaidContent};
use crate::gate::Gate;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 4 << 20;

/// The longest wait between two attempts, also when the server asks for more.
const MAX_WAIT: Duration = Duration::from_mins(1);

/// A secret: it is sent, but never shown, not even by `{:?}`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret; white space around it (a file's last newline) is left out.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret")
    }
}

/// How a server is asked.
#[derive(Debug, Clone)]
pub struct EndpointOptions {
    /// The base URL, up to and including the version: `http://localhost:8000/v1`.
    pub url: String,
    /// The model's name as the server knows it.
    pub model: String,
    /// The secret of the `Authorization: Bearer` header.
    pub api_key: Option<Secret>,
    /// The seed sent with each request.
    pub seed: u64,
    /// The longest answer, in the model's tokens.
    pub max_tokens: u32,
    /// The longest time for one attempt, from connecting to the last byte.
    pub timeout: Duration,
    /// How often a request that failed for a passing reason is sent again.
    pub retries: u32,
    /// The wait before the first retry; it doubles with each.
    pub backoff: Duration,
}

/// A server that cannot be used at all: every further request would fail alike.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    /// The URL is not `http://…` or `https://…`.
    #[error("`{0}` is not an http:// or https:// URL")]
    BadUrl(String),
    /// The key has characters that no header can carry, or none at all.
    #[error("the API key is empty or not plain ASCII")]
    BadKey,
    /// The server rejects the key (401, 403), the path or the model (404, 405), or points elsewhere (3xx).
    #[error("{url} answered {status}: {said}")]
    Refused {
        /// The URL asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        said: String,
    },
    /// Nothing ever answered there.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// The URL asked.
        url: String,
        /// What the last attempt failed with.
        reason: String,
    },
}

impl EndpointError {
    /// A stable name for the kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadUrl(_) => "bad-url",
            Self::BadKey => "bad-key",
            Self::Refused { .. } => "endpoint-refused",
            Self::Unreachable { .. } => "endpoint-unreachable",
        }
    }
}

/// A request that got no answer.
#[derive(Debug, Error)]
pub enum AskError {
    /// The server as a whole is unusable.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// This request failed, after all retries where the reason could pass.
    #[error("{reason} (attempts: {attempts})")]
    Failed {
        /// What the last attempt failed with.
        reason: String,
        /// How many attempts were made.
        attempts: u32,
    },
}

/// What the model said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The text, as it came.
    pub text: String,
    /// Whether the server cut it at the limit of tokens.
    pub cut: bool,
    /// Whether the server reports that the model, or a filter, declined.
    pub refused: bool,
}

/// How one attempt ended without an answer.
struct Setback {
    kind: SetbackKind,
    reason: String,
    /// How long the server asks to wait.
    after: Option<Duration>,
}

#[derive(PartialEq)]
enum SetbackKind {
    /// Worth another attempt.
    Passing,
    /// Worth another attempt; nothing answered at all.
    NoConnection,
    /// This request will never do.
    Request,
    /// No request will ever do.
    Endpoint(u16),
}

impl Setback {
    fn new(kind: SetbackKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            after: None,
        }
    }
}

/// A server, shared by all threads.
#[derive(Debug)]
pub struct Endpoint {
    options: EndpointOptions,
    url: String,
    agent: Agent,
    gate: Arc<Gate>,
    answered: AtomicBool,
}

impl Endpoint {
    /// A server that is asked through `gate`, which `in_flight` callers pass at a time.
    /// No connection is made yet.
    ///
    /// # Errors
    /// [`EndpointError::BadUrl`], [`EndpointError::BadKey`].
    pub fn new(
        options: EndpointOptions,
        gate: Arc<Gate>,
        in_flight: NonZeroUsize,
    ) -> Result<Self, EndpointError> {
        let base = options.url.trim_end_matches('/');
        let host = base
            .strip_prefix("http://")
            .or_else(|| base.strip_prefix("https://"))
            .unwrap_or_default();
        if host.is_empty() || host.starts_with('/') || host.contains(char::is_whitespace) {
            return Err(EndpointError::BadUrl(options.url));
        }
        if let Some(Secret(key)) = &options.api_key
            && (key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(EndpointError::BadKey);
        }
        let url = if base.ends_with("/chat/completions") {
            base.to_owned()
        } else {
            format!("{base}/chat/completions")
        };
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(options.timeout))
            .max_idle_connections(in_flight.get())
            .max_idle_connections_per_host(in_flight.get())
            .user_agent(concat!("realsyn/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Self {
            options,
            url,
            agent,
            gate,
            answered: AtomicBool::new(false),
        })
    }

    /// Asks, and asks again when the reason may pass: a 408, 409, 425, 429 or 5xx, a timeout, a lost
    /// or refused connection, a body that is no chat completion. Waits double from attempt to attempt
    /// and are spread by a hash of `key`; a server's `Retry-After` counts, up to a minute.
    ///
    /// # Errors
    /// [`AskError::Failed`] when this request gets no answer, [`AskError::Endpoint`] when none would.
    pub fn ask(&self, key: &str, content: Content<'_>) -> Result<Answer, AskError> {
        let request = Request {
            model: &self.options.model,
            messages: [Message {
                role: "user",
                content,
            }],
            temperature: 0,
            seed: self.options.seed,
            max_tokens: self.options.max_tokens,
            stream: false,
        };
        let body = serde_json::to_vec(&request).map_err(|error| AskError::Failed {
            reason: error.to_string(),
            attempts: 0,
        })?;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let setback = match self.attempt(&body) {
                Ok(answer) => return Ok(answer),
                Err(setback) => setback,
            };
            match setback.kind {
                SetbackKind::Endpoint(status) => {
                    return Err(AskError::Endpoint(EndpointError::Refused {
                        url: self.url.clone(),
                        status,
                        said: setback.reason,
                    }));
                }
                SetbackKind::Passing | SetbackKind::NoConnection
                    if attempts <= self.options.retries =>
                {
                    thread::sleep(self.wait(key, attempts, setback.after));
                }
                SetbackKind::NoConnection if !self.answered.load(Ordering::Relaxed) => {
                    return Err(AskError::Endpoint(EndpointError::Unreachable {
                        url: self.url.clone(),
                        reason: setback.reason,
                    }));
                }
                _ => {
                    return Err(AskError::Failed {
                        reason: setback.reason,
                        attempts,
                    });
                }
            }
        }
    }

    /// How long to wait after so many attempts: the backoff doubled each time, between half and whole
    /// of it, so that requests that failed together do not come back together.
    fn wait(&self, key: &str, attempts: u32, asked: Option<Duration>) -> Duration {
        let factor = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let whole = self.options.backoff.saturating_mul(factor).min(MAX_WAIT);
        let spread = 0.5 + 0.5 * uniform(u64::from(attempts), key);
        whole
            .mul_f64(spread)
            .max(asked.unwrap_or_default())
            .min(MAX_WAIT)
    }

    /// One request and its answer.
    fn attempt(&self, body: &[u8]) -> Result<Answer, Setback> {
        let _pass = self.gate.enter();
        let mut post = self.agent.post(&self.url).content_type("application/json");
        if let Some(Secret(key)) = &self.options.api_key {
            post = post.header("authorization", format!("Bearer {key}"));
        }
        let mut response = post.send(body).map_err(|error| setback(&error))?;
        self.answered.store(true, Ordering::Relaxed);
        let status = response.status().as_u16();
        let after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let text = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .lossy_utf8(true)
            .read_to_string()
            .map_err(|error| setback(&error));
        let kind = match status {
            200..=299 => return understand(&text?),
            408 | 409 | 425 | 429 | 500..=599 => SetbackKind::Passing,
            300..=399 | 401 | 403..=405 => SetbackKind::Endpoint(status),
            _ => SetbackKind::Request,
        };
        let said = beginning(text.as_deref().unwrap_or_default());
        let reason = match kind {
            SetbackKind::Endpoint(_) => said,
            _ if said.is_empty() => format!("the server answered {status}"),
            _ => format!("the server answered {status}: {said}"),
        };
        Err(Setback {
            kind,
            reason,
            after,
        })
    }
}

/// What a transport error means for the next attempt.
fn setback(error: &ureq::Error) -> Setback {
    let kind = match error {
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_)
        | ureq::Error::ConnectProxyFailed(_) => SetbackKind::NoConnection,
        ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => {
            SetbackKind::NoConnection
        }
        ureq::Error::Timeout(_)
        | ureq::Error::Io(_)
        | ureq::Error::Protocol(_)
        | ureq::Error::BodyStalled => SetbackKind::Passing,
        _ => SetbackKind::Request,
    };
    Setback::new(kind, error.to_string())
}

/// Reads a chat completion. What is none may be a proxy's page, so it is worth another attempt.
fn understand(body: &str) -> Result<Answer, Setback> {
    let garbage = |why: String| Setback::new(SetbackKind::Passing, why);
    let response: Response = serde_json::from_str(body)
        .map_err(|error| garbage(format!("the answer is no chat completion: {error}")))?;
    let choice = response
        .choices
        .into_iter()
        .next()
        .ok_or_else(|| garbage("the answer has no choices".to_owned()))?;
    let finish = choice.finish_reason.as_deref();
    Ok(Answer {
        cut: finish == Some("length"),
        refused: finish == Some("content_filter")
            || choice.message.refusal.is_some_and(|said| !said.is_empty()),
        text: choice
            .message
            .content
            .map(SaidContent::into_text)
            .unwrap_or_default(),
    })
}

/// The first 200 characters, on one line.
fn beginning(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, key: Option<&str>) -> Result<Endpoint, EndpointError> {
        let one = NonZeroUsize::MIN;
        let options = EndpointOptions {
            url: url.to_owned(),
            model: "m".to_owned(),
            api_key: key.map(Secret::new),
            seed: 0,
            max_tokens: 10,
            timeout: Duration::from_secs(1),
            retries: 2,
            backoff: Duration::from_secs(1),
        };
        Endpoint::new(options, Arc::new(Gate::new(one)), one)
    }

    #[test]
    fn the_path_is_added_once() {
        for url in [
            "http://h:1/v1",
            "http://h:1/v1/",
            "http://h:1/v1/chat/completions",
        ] {
            assert_eq!(
                endpoint(url, None).unwrap().url,
                "http://h:1/v1/chat/completions"
            );
        }
        for url in [
            "h:1/v1",
            "ftp://h/v1",
            "http://",
            "https:///v1",
            "http://a b/",
            "",
        ] {
            assert_eq!(endpoint(url, None).unwrap_err().code(), "bad-url", "{url}");
        }
    }

    #[test]
    fn keys_are_checked_and_never_shown() {
        assert_eq!(
            endpoint("http://h", Some("a\nb")).unwrap_err().code(),
            "bad-key"
        );
        assert_eq!(
            endpoint("http://h", Some(" \n")).unwrap_err().code(),
            "bad-key"
        );
        let endpoint = endpoint("http://h", Some("sk-secret\n")).unwrap();
        assert!(!format!("{endpoint:?}").contains("sk-secret"));
    }

    #[test]
    fn waits_double_are_spread_and_bounded() {
        let endpoint = endpoint("http://h", None).unwrap();
        for attempts in 1..20 {
            let whole = Duration::from_secs(1 << (attempts - 1).min(6)).min(MAX_WAIT);
            let wait = endpoint.wait("d/i1", attempts, None);
            assert!(whole / 2 <= wait && wait <= whole, "{attempts}: {wait:?}");
        }
        let asked = |seconds| endpoint.wait("d/i1", 1, Some(Duration::from_secs(seconds)));
        assert_eq!(asked(7), Duration::from_secs(7));
        assert_eq!(asked(7000), MAX_WAIT);
        assert_ne!(
            endpoint.wait("d/i1", 1, None),
            endpoint.wait("d/i2", 1, None)
        );
    }
}
