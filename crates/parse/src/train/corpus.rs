//! Sentences with the parses of the teacher, as `bin/train-parser` writes them.

use std::path::Path;
use std::{fs, io};

use thiserror::Error;

use crate::parser::Scratch;
use crate::tags;
use crate::tokens::{self, Span};

/// Why a file of parses cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// The operating system's answer.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// The answer.
        source: io::Error,
    },
    /// A line that is none of the format.
    #[error("{path}:{line}: not a line of a parse")]
    Line {
        /// The file.
        path: String,
        /// The line's number.
        line: usize,
    },
}

impl CorpusError {
    /// A stable name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Line { .. } => "parse-line",
        }
    }
}

/// A token as the teacher sees it.
#[derive(Clone, Copy, Debug)]
pub struct Gold {
    /// Where it stands.
    pub span: Span,
    /// The number of its head; the number of tokens for a root.
    pub head: u32,
    /// Its tag.
    pub tag: u8,
    /// Its label.
    pub label: u8,
}

/// A sentence of the teacher's.
#[derive(Clone, Debug)]
pub struct Sentence {
    /// `train`, `dev` or `test`.
    pub split: String,
    /// Where it is from.
    pub source: String,
    /// The sentence.
    pub text: String,
    /// Its tokens.
    pub tokens: Vec<Gold>,
    /// Whether a verb has a nominal subject.
    pub action: bool,
    /// The largest number of children.
    pub complexity: usize,
}

impl Sentence {
    /// Whether the teacher's tokens are the ones that we would make.
    pub fn has_our_tokens(&self, scratch: &mut Scratch) -> bool {
        tokens::split(&self.text, &mut scratch.tokens, &mut Vec::new());
        scratch
            .tokens
            .iter()
            .eq(self.tokens.iter().map(|gold| &gold.span))
    }

    /// The text of one of its tokens.
    #[must_use]
    pub fn word(&self, gold: &Gold) -> &str {
        self.text
            .get(gold.span.0 as usize..gold.span.1 as usize)
            .unwrap_or_default()
    }

    /// Where its tokens stand.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.tokens.iter().map(|gold| gold.span).collect()
    }

    fn push(&mut self, row: &str, subjects: &mut Vec<u32>, verbs: &mut Vec<bool>) -> Option<()> {
        let mut cells = row.split('\t');
        let span = (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?);
        let tag = tags::tag(cells.next()?);
        verbs.push(cells.next()? == "VERB");
        let label = cells.next()?;
        let head: u32 = cells.next()?.parse().ok()?;
        if matches!(label, "nsubj" | "nsubjpass") {
            subjects.push(head);
        }
        self.text.get(span.0 as usize..span.1 as usize)?;
        self.tokens.push(Gold {
            span,
            head,
            tag,
            label: tags::label(label),
        });
        Some(())
    }

    fn finish(&mut self, subjects: &[u32], verbs: &[bool]) -> Option<()> {
        let end = u32::try_from(self.tokens.len()).ok()?;
        let mut children = vec![0_usize; self.tokens.len()];
        for (gold, at) in self.tokens.iter_mut().zip(0..) {
            if gold.head == at {
                gold.head = end;
            } else {
                *children.get_mut(gold.head as usize)? += 1;
            }
        }
        self.complexity = children.into_iter().max().unwrap_or(0);
        self.action = subjects
            .iter()
            .any(|&head| verbs.get(head as usize) == Some(&true));
        Some(())
    }
}

/// All sentences of the `.tsv` files in a folder, in the order of the files' names.
///
/// # Errors
/// If a file cannot be read or holds something else.
pub fn read(folder: &Path) -> Result<Vec<Sentence>, CorpusError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| CorpusError::Io { path, source }
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "tsv") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut sentences = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(failed(&path))?;
        let (mut subjects, mut verbs) = (Vec::new(), Vec::new());
        let mut open = None::<Sentence>;
        for (row, number) in text.lines().zip(1..) {
            let wrong = || CorpusError::Line {
                path: path.display().to_string(),
                line: number,
            };
            if row.is_empty() {
                let mut sentence = open.take().ok_or_else(wrong)?;
                sentence.finish(&subjects, &verbs).ok_or_else(wrong)?;
                sentences.push(sentence);
                subjects.clear();
                verbs.clear();
            } else if let Some(sentence) = &mut open {
                sentence
                    .push(row, &mut subjects, &mut verbs)
                    .ok_or_else(wrong)?;
            } else {
                let mut cells = row.strip_prefix("# ").ok_or_else(wrong)?.splitn(3, '\t');
                let mut cell = || cells.next().map(str::to_owned).ok_or_else(wrong);
                open = Some(Sentence {
                    split: cell()?,
                    source: cell()?,
                    text: cell()?,
                    tokens: Vec::new(),
                    action: false,
                    complexity: 0,
                });
            }
        }
    }
    Ok(sentences)
}
