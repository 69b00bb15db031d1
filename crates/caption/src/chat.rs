//! The chat-completions messages of OpenAI-compatible servers, as much of them as is used.
//!
//! Memory: one request and one answer.

use serde::{Deserialize, Serialize};

/// The body of `POST …/chat/completions`. Field order is fixed, so equal requests are equal bytes.
#[derive(Debug, Serialize)]
pub struct Request<'a> {
    /// The model's name as the server knows it.
    pub model: &'a str,
    /// The conversation: one message of the user.
    pub messages: [Message<'a>; 1],
    /// Always 0: the most likely answer.
    pub temperature: u8,
    /// For servers that sample even then.
    pub seed: u64,
    /// The longest answer, in the model's tokens.
    pub max_tokens: u32,
    /// Always false: the answer comes in one piece.
    pub stream: bool,
}

/// One message.
#[derive(Debug, Serialize)]
pub struct Message<'a> {
    /// Who speaks; always the user, because some models know no system message.
    pub role: &'static str,
    /// What is said.
    pub content: Content<'a>,
}

/// What a message says.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Content<'a> {
    /// Text alone.
    Text(&'a str),
    /// Text and a picture.
    Parts([Part<'a>; 2]),
}

/// A part of a message.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part<'a> {
    /// Text.
    Text {
        /// The text.
        text: &'a str,
    },
    /// A picture.
    ImageUrl {
        /// Where it is.
        image_url: ImageUrl<'a>,
    },
}

/// Where a picture is.
#[derive(Debug, Serialize)]
pub struct ImageUrl<'a> {
    /// A `data:` URI that holds it.
    pub url: &'a str,
}

/// The answer of the server.
#[derive(Debug, Deserialize)]
pub struct Response {
    /// One choice, because one was asked for.
    pub choices: Vec<Choice>,
}

/// One answer.
#[derive(Debug, Deserialize)]
pub struct Choice {
    /// What the model said.
    pub message: Said,
    /// Why it stopped: `stop`, `length`, `content_filter`, …
    #[serde(default)]
    pub finish_reason: Option<String>,
}

/// What the model said.
#[derive(Debug, Deserialize)]
pub struct Said {
    /// The text; absent or null when there is none.
    #[serde(default)]
    pub content: Option<SaidContent>,
    /// A refusal, where the server tells it apart.
    #[serde(default)]
    pub refusal: Option<String>,
}

/// Text in one piece, or in parts as some servers send it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum SaidContent {
    /// One piece.
    Text(String),
    /// Parts.
    Parts(Vec<SaidPart>),
}

/// A part of what the model said.
#[derive(Debug, Deserialize)]
pub struct SaidPart {
    /// Its text, if it is text.
    #[serde(default)]
    pub text: Option<String>,
}

impl SaidContent {
    /// The text, parts joined.
    #[must_use]
    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts.into_iter().filter_map(|part| part.text).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_what_servers_expect() {
        let request = Request {
            model: "m",
            messages: [Message {
                role: "user",
                content: Content::Parts([
                    Part::Text { text: "What?" },
                    Part::ImageUrl {
                        image_url: ImageUrl {
                            url: "data:image/jpeg;base64,AA==",
                        },
                    },
                ]),
            }],
            temperature: 0,
            seed: 7,
            max_tokens: 100,
            stream: false,
        };
        assert_eq!(
            serde_json::to_string(&request).unwrap(),
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"What?"},{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,AA=="}}]}],"temperature":0,"seed":7,"max_tokens":100,"stream":false}"#
        );
    }

    #[test]
    fn answers_in_the_wild_are_read() {
        for (json, text) in [
            (
                r#"{"choices":[{"message":{"role":"assistant","content":"A"},"finish_reason":"stop"}],"usage":{}}"#,
                Some("A"),
            ),
            (
                r#"{"choices":[{"message":{"content":[{"type":"text","text":"A"},{"type":"x"},{"type":"text","text":"B"}]}}]}"#,
                Some("AB"),
            ),
            (
                r#"{"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":null}]}"#,
                None,
            ),
        ] {
            let response: Response = serde_json::from_str(json).unwrap();
            let said = response.choices.into_iter().next().unwrap().message;
            assert_eq!(said.content.map(SaidContent::into_text).as_deref(), text);
        }
    }
}
