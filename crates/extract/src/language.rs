//! The language that a text is in, by `whichlang`'s linear model over the n-grams of letters, which knows sixteen.
//!
//! Such a model takes program text, formulas and lists of names for some language or other. So it is shown the words in
//! lower case alone, those of nothing but letters, and asked only where these are enough of them and half of what stands
//! there. A sentence in which they are not goes with its document, and one that disagrees with its document needs more.

use std::fmt;
use std::str::FromStr;

use whichlang::{LANGUAGES, Lang, detect_language};

/// How many bytes of words a text must have for its language to be told.
const LEAST: usize = 60;
/// How many a sentence must have to be in another language than its document.
const ALONE: usize = 100;

/// A language that sentences may be in, by its ISO 639-1 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language(Option<Lang>);

impl Language {
    /// Whatever it is.
    pub const ANY: Self = Self(None);
    /// English.
    pub const ENGLISH: Self = Self(Some(Lang::Eng));

    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self.0 {
            None => "any",
            Some(Lang::Ara) => "ar",
            Some(Lang::Cmn) => "zh",
            Some(Lang::Deu) => "de",
            Some(Lang::Eng) => "en",
            Some(Lang::Fra) => "fr",
            Some(Lang::Hin) => "hi",
            Some(Lang::Ita) => "it",
            Some(Lang::Jpn) => "ja",
            Some(Lang::Kor) => "ko",
            Some(Lang::Nld) => "nl",
            Some(Lang::Por) => "pt",
            Some(Lang::Rus) => "ru",
            Some(Lang::Spa) => "es",
            Some(Lang::Swe) => "sv",
            Some(Lang::Tur) => "tr",
            Some(Lang::Vie) => "vi",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl FromStr for Language {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, String> {
        let known = || {
            std::iter::once(Self::ANY).chain(LANGUAGES.iter().map(|&language| Self(Some(language))))
        };
        known()
            .find(|language| language.code() == code)
            .ok_or_else(|| {
                let codes: Vec<&str> = known().map(Self::code).collect();
                format!("no such language; there are {}", codes.join(", "))
            })
    }
}

/// Tells the languages of the sentences of a document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Detector {
    words: String,
    document: String,
    /// What each sentence's own words say, and how many bytes they have.
    own: Vec<Option<(Language, usize)>>,
}

impl Detector {
    /// Begins a document.
    pub fn begin(&mut self) {
        self.document.clear();
        self.own.clear();
    }

    /// Looks at its next sentence.
    pub fn look(&mut self, sentence: &str) {
        self.words.clear();
        words(sentence, &mut self.words);
        if self.words.len() * 2 < sentence.len() {
            self.own.push(None);
            return;
        }
        let told = told(&self.words);
        self.own
            .push(told.map(|language| (language, self.words.len())));
        // Of a document of short sentences, so much is enough to tell.
        if self.document.len() < 1 << 12 {
            self.document.push_str(&self.words);
        }
    }

    /// The language of each sentence that was looked at, in order: its own if it is long, or what most sentences of the
    /// document are in, or all of them taken together; `None` where even these have too few words.
    pub fn languages(&self) -> impl Iterator<Item = Option<Language>> {
        let mut votes: Vec<(Language, usize)> = Vec::new();
        for (language, _) in self.own.iter().flatten() {
            match votes.iter_mut().find(|(known, _)| known == language) {
                Some((_, count)) => *count += 1,
                None => votes.push((*language, 1)),
            }
        }
        // Of two with as many, the one that was met first.
        let most = votes.into_iter().rev().max_by_key(|(_, count)| *count);
        let document = match most {
            Some((language, _)) => Some(language),
            None => told(&self.document),
        };
        self.own.iter().map(move |own| match own {
            Some((language, bytes)) if *bytes >= ALONE => Some(*language),
            _ => document,
        })
    }
}

fn told(words: &str) -> Option<Language> {
    (words.len() >= LEAST).then(|| Language(Some(detect_language(words))))
}

/// Appends the words of a sentence that are written in lower case and of letters alone, with a blank behind each.
fn words(sentence: &str, out: &mut String) {
    // Scripts that do not part words have their own full stops and commas between what passes for one here.
    let parts = |character: char| {
        character.is_whitespace()
            || matches!(character, '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ff65}')
    };
    for token in sentence.split(parts) {
        let word = token.trim_matches(|character: char| !character.is_alphanumeric());
        let is_plain = if word.is_ascii() {
            word.bytes()
                .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'\'' | b'-'))
        } else {
            word.chars().all(|character| {
                (character.is_alphabetic() && !character.is_uppercase())
                    || matches!(character, '\'' | '’' | '-')
            })
        };
        if is_plain && !word.is_empty() {
            out.push_str(word);
            out.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(sentences: &[&str]) -> Vec<Option<&'static str>> {
        let mut detector = Detector::default();
        detector.begin();
        for sentence in sentences {
            detector.look(sentence);
        }
        detector
            .languages()
            .map(|found| found.map(Language::code))
            .collect()
    }

    const ENGLISH: &str = "The harbour lies in the north of the island, and the boats come in before the evening, when the \
                           wind turns and the light of the tower can be seen from the hills.";
    const GERMAN: &str = "Der Hafen liegt im Norden der Insel, und die Boote kommen herein, bevor sich abends der Wind dreht \
                          und man von den Hügeln aus schon das Licht des Turmes sehen kann, der dort steht.";

    #[test]
    fn a_long_sentence_speaks_for_itself_and_a_short_one_goes_with_its_document() {
        assert_eq!(
            codes(&[GERMAN, "Das ist gut.", ENGLISH, GERMAN]),
            [Some("de"), Some("de"), Some("en"), Some("de")]
        );
        assert_eq!(codes(&[ENGLISH, "Das ist gut."])[1], Some("en"));
        assert_eq!(codes(&["Das ist gut."]), [None]);
        let short = ["Wir gehen heute in die Stadt."; 4];
        assert_eq!(codes(&short), [Some("de"); 4]);
        // Taken alone, the model says it is Italian.
        let close = "Merges several space time datasets into a single space time dataset.";
        assert_eq!(codes(&[ENGLISH, close]), [Some("en"); 2]);
    }

    #[test]
    fn other_scripts_and_what_is_no_language() {
        assert_eq!(
            codes(&[
                "港は島の北にあり、夕方になる前に船が入ってきて、丘の上から灯台の光が見える。"
            ]),
            [Some("ja")]
        );
        assert_eq!(
            codes(&[
                "Гавань лежит на севере острова, и лодки приходят туда до наступления вечера."
            ]),
            [Some("ru")]
        );
        for none in [
            "public static void fastGlobalSmootherFilter(Mat guide, Mat src, Mat dst, double lambda, double sigma_color, \
             double lambda_attenuation)",
            "Alexandre Prokoudine, Alessandro Falappa, Jean-Pierre Litzler, Manuel Quiñones, Róman Joost, Daniel Francis",
        ] {
            assert_eq!(codes(&[none]), [None]);
        }
    }

    #[test]
    fn codes_are_read_as_they_are_written() {
        for language in [Language::ANY, Language::ENGLISH] {
            assert_eq!(language.code().parse(), Ok(language));
        }
        assert!("xx".parse::<Language>().unwrap_err().contains("de"));
    }
}
