//! The rules that a sentence can be asked without knowledge of the corpus, asked of whole documents.
//!
//! The order is that of [`Rule::ALL`]. The language is told for a document as a whole, since a short sentence alone says too
//! little, and only English is parsed: of a sentence in another language that was asked for, complexity and action are not.
//!
//! Words are counted here, of all sentences that have the asked form and language: the corpus that entropy speaks of does not
//! depend on the parser, and counting does not wait for it.
//!
//! Memory: the verdicts on one document's sentences. Order: as in the document.

use realsyn_parse::{ParseError, Parser};

use crate::document::{self, Class, Document, Item, Options};
use crate::language::{Detector, Language};
use crate::rules::{self, Rule};
use crate::{Counter, CountsError};

/// Asks the rules.
pub struct Judge {
    options: Options,
    parser: Option<&'static Parser>,
    is_any: bool,
}

/// What a thread keeps from document to document.
#[derive(Default)]
pub struct Scratch {
    detector: Detector,
    parse: realsyn_parse::Scratch,
}

impl Judge {
    /// Asks what `options` say.
    ///
    /// # Errors
    /// The parser's weights, which are part of the program, are damaged.
    pub fn new(options: &Options) -> Result<Self, ParseError> {
        let parses = options.asks(Rule::LowComplexity) || options.asks(Rule::NoAction);
        Ok(Self {
            options: options.clone(),
            parser: parses.then(Parser::embedded).transpose()?,
            is_any: !options.asks(Rule::OtherLanguage)
                || options.languages.is_empty()
                || options.languages.contains(&Language::ANY),
        })
    }

    /// Takes out of a document the sentences that break a rule. With `counter`, the words are counted; if nothing but that is
    /// wanted, [`Judge::count`] does it without parsing.
    ///
    /// # Errors
    /// The counter's.
    pub fn judge(
        &self,
        document: &mut Document,
        counter: Option<&Counter>,
        scratch: &mut Scratch,
    ) -> Result<(), CountsError> {
        let languages = self.form_and_language(document, scratch);
        if let Some(counter) = counter {
            counter.add(texts(document))?;
        }
        if self.parser.is_some() {
            let mut languages = languages.into_iter();
            for item in &mut document.items {
                let Item::Sentence(sentence) = item else {
                    continue;
                };
                let language = languages.next().flatten();
                if language.is_some_and(|language| language != Language::ENGLISH) {
                    continue;
                }
                if let Some((rule, message)) = self.parsed(&sentence.text, scratch) {
                    refuse(item, rule, message);
                }
            }
        }
        Ok(())
    }

    /// Takes out of a document the sentences whose words do not count, and counts those of the others.
    ///
    /// # Errors
    /// The counter's.
    pub fn count(
        &self,
        document: &mut Document,
        counter: &Counter,
        scratch: &mut Scratch,
    ) -> Result<(), CountsError> {
        self.form_and_language(document, scratch);
        counter.add(texts(document))
    }

    /// The languages of the sentences that are left; none where none was asked for.
    fn form_and_language(
        &self,
        document: &mut Document,
        scratch: &mut Scratch,
    ) -> Vec<Option<Language>> {
        let detector = &mut scratch.detector;
        detector.begin();
        for item in &mut document.items {
            let Item::Sentence(sentence) = item else {
                continue;
            };
            if let Some((rule, message)) = rules::form(&sentence.text, &self.options) {
                refuse(item, rule, message);
            } else if !self.is_any {
                detector.look(&sentence.text);
            }
        }
        let mut languages: Vec<Option<Language>> = detector.languages().collect();
        let asked = &self.options.languages;
        let is_other = |language: &Option<Language>| language.is_some_and(|l| !asked.contains(&l));
        if languages.iter().any(is_other) {
            let mut told = languages.iter();
            for item in &mut document.items {
                if matches!(item, Item::Sentence(_))
                    && let Some(Some(language)) = told.next().filter(|&told| is_other(told))
                {
                    let wanted: Vec<&str> = asked.iter().map(|asked| asked.code()).collect();
                    let message = format!("reads as {language}, not {}", wanted.join(" or "));
                    refuse(item, Rule::OtherLanguage, message);
                }
            }
            languages.retain(|language| !is_other(language));
        }
        languages
    }

    /// The rule of complexity and action that a sentence breaks, and why.
    fn parsed(&self, sentence: &str, scratch: &mut Scratch) -> Option<(Rule, String)> {
        let parse = self.parser?.parse(&mut scratch.parse, sentence);
        let options = &self.options;
        let complexity = parse.complexity();
        if options.asks(Rule::LowComplexity) && complexity < options.min_complexity {
            let message = format!(
                "complexity {complexity} of at least {}",
                options.min_complexity
            );
            return Some((Rule::LowComplexity, message));
        }
        if options.asks(Rule::NoAction) && !parse.action() {
            return Some((Rule::NoAction, "no verb has a subject".to_owned()));
        }
        None
    }

    /// The parse of a sentence, as a table for people.
    ///
    /// # Errors
    /// As [`Judge::new`].
    pub fn explain(sentence: &str, scratch: &mut Scratch) -> Result<String, ParseError> {
        let parse = Parser::embedded()?.parse(&mut scratch.parse, sentence);
        Ok(parse.to_string())
    }
}

fn texts(document: &Document) -> impl Iterator<Item = &str> {
    document.items.iter().filter_map(|item| match item {
        Item::Sentence(sentence) => Some(&*sentence.text),
        _ => None,
    })
}

fn refuse(item: &mut Item, rule: Rule, message: String) {
    if let Item::Sentence(sentence) = item {
        *item = document::refused("sentence", Class::Filter, rule.code(), message, sentence);
    }
}
