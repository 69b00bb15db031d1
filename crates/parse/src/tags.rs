//! The tags of words and the labels of relations.

/// Part-of-speech tags of the Penn Treebank, as spaCy's English models use them. Rare ones that hardly differ in what
/// they do are one (`XX`).
pub const TAGS: [&str; 46] = [
    "NN", "NNS", "NNP", "NNPS", "IN", "DT", "JJ", "JJR", "JJS", "RB", "RBR", "RBS", "RP", "CC",
    "CD", "PRP", "PRP$", "VB", "VBD", "VBG", "VBN", "VBP", "VBZ", "MD", "TO", "WDT", "WP", "WP$",
    "WRB", "PDT", "EX", "POS", "FW", "UH", "SYM", "HYPH", "NFP", "$", "''", "``", ",", ".", ":",
    "-LRB-", "-RRB-", "XX",
];

/// The first tag of verbs in [`TAGS`].
const FIRST_VERB: u8 = 17;
/// The last one; modal verbs have a tag of their own.
const LAST_VERB: u8 = 22;

/// The number of a tag; what is not among them is `XX`.
#[must_use]
pub fn tag(name: &str) -> u8 {
    place(&TAGS, name).unwrap_or(45)
}

/// Whether the tag is a verb's.
#[must_use]
pub fn is_verb(tag: u8) -> bool {
    (FIRST_VERB..=LAST_VERB).contains(&tag)
}

/// The labels of relations: those of `ClearNLP`, as spaCy's English models use them, those joined that the filter need not tell
/// apart.
pub const LABELS: [&str; 23] = [
    "root",
    "nsubj",
    "nsubjpass",
    "expl",
    "aux",
    "det",
    "amod",
    "compound",
    "nummod",
    "poss",
    "advmod",
    "mark",
    "prep",
    "punct",
    "clause",
    "dep",
    "obj",
    "pobj",
    "prt",
    "cc",
    "conj",
    "acl",
    "appos",
];

/// A root, or no head yet.
pub const ROOT: u8 = 0;
/// The subject of a verb.
pub const NSUBJ: u8 = 1;
/// The subject of a passive verb.
pub const NSUBJPASS: u8 = 2;
/// `there`, of `there is`.
pub const EXPL: u8 = 3;
/// An auxiliary verb.
pub const AUX: u8 = 4;
/// What has no other label.
pub const DEP: u8 = 15;
/// A clause that depends on a noun.
const ACL: u8 = 21;
/// What is joined to another.
const CONJ: u8 = 20;
/// A clause that depends on a verb.
const CLAUSE: u8 = 14;

/// The number of the label that stands for a label of spaCy's.
#[must_use]
pub fn label(name: &str) -> u8 {
    let ours = match name {
        "ROOT" => "root",
        "auxpass" => "aux",
        "predet" => "det",
        "nmod" => "compound",
        "quantmod" | "neg" | "npadvmod" => "advmod",
        "agent" => "prep",
        "advcl" | "ccomp" | "xcomp" | "csubj" | "csubjpass" | "parataxis" => "clause",
        "dobj" | "dative" | "oprd" | "attr" | "acomp" => "obj",
        "pcomp" => "pobj",
        "preconj" => "cc",
        "relcl" => "acl",
        other => other,
    };
    place(&LABELS, ours).unwrap_or(DEP)
}

fn place(names: &[&str], name: &str) -> Option<u8> {
    let place = names.iter().position(|known| *known == name)?;
    u8::try_from(place).ok()
}

/// The labels of arcs to the right, in the order of their moves; others become `dep`.
pub const RIGHT: [u8; 15] = [1, 16, 17, 12, 18, 10, 19, 20, 13, 21, 14, 22, 8, 7, DEP];
/// The labels of arcs to the left.
pub const LEFT: [u8; 15] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, DEP];

/// The part of speech, as Universal Dependencies names it, of a token with this tag and label.
///
/// `VERB` and `AUX` are told apart as spaCy's rules do: *be* and what is labelled `aux` is an auxiliary; *do* and *have*
/// are verbs only where they head a clause or are joined to another verb.
#[must_use]
pub fn part_of_speech(tag: u8, label: u8, word: &str) -> &'static str {
    match TAGS[usize::from(tag)] {
        _ if is_verb(tag) => {
            if label == AUX
                || (is_be(word) && label != EXPL)
                || (is_do_or_have(word) && !matches!(label, ROOT | CLAUSE | CONJ | ACL))
            {
                "AUX"
            } else {
                "VERB"
            }
        }
        "MD" => "AUX",
        "NN" | "NNS" => "NOUN",
        "NNP" | "NNPS" => "PROPN",
        "IN" if label == 11 => "SCONJ",
        "IN" | "RP" => "ADP",
        "DT" | "PDT" | "WDT" => "DET",
        "JJ" | "JJR" | "JJS" => "ADJ",
        "RB" | "RBR" | "RBS" | "WRB" => "ADV",
        "CC" => "CCONJ",
        "CD" => "NUM",
        "PRP" | "PRP$" | "WP" | "WP$" | "EX" => "PRON",
        "TO" | "POS" => "PART",
        "UH" => "INTJ",
        "SYM" | "$" => "SYM",
        "FW" | "XX" => "X",
        _ => "PUNCT",
    }
}

fn is_any(word: &str, forms: &[&str]) -> bool {
    word.len() <= 5 && forms.iter().any(|form| form.eq_ignore_ascii_case(word))
}

fn is_be(word: &str) -> bool {
    is_any(
        word,
        &[
            "is", "are", "was", "were", "be", "been", "being", "am", "'s", "'re", "'m", "’s",
            "’re", "’m",
        ],
    )
}

fn is_do_or_have(word: &str) -> bool {
    is_any(
        word,
        &[
            "do", "does", "did", "have", "has", "had", "'ve", "’ve", "'d", "’d",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_places_in_the_lists() {
        for (number, name) in [
            (ROOT, "root"),
            (NSUBJ, "nsubj"),
            (NSUBJPASS, "nsubjpass"),
            (EXPL, "expl"),
            (AUX, "aux"),
            (DEP, "dep"),
            (ACL, "acl"),
            (CONJ, "conj"),
            (CLAUSE, "clause"),
        ] {
            assert_eq!(LABELS[usize::from(number)], name);
        }
        assert_eq!(
            (TAGS[usize::from(FIRST_VERB)], TAGS[usize::from(LAST_VERB)]),
            ("VB", "VBZ")
        );
        assert_eq!(TAGS[usize::from(tag("AFX"))], "XX");
        assert_eq!(LABELS[usize::from(label("relcl"))], "acl");
        assert_eq!(label("case"), DEP);
    }

    #[test]
    fn auxiliaries_are_no_verbs() {
        let verb = |word, label| part_of_speech(tag("VBZ"), label, word);
        assert_eq!(verb("runs", ROOT), "VERB");
        assert_eq!(verb("Is", ROOT), "AUX");
        assert_eq!(verb("has", ROOT), "VERB");
        assert_eq!(verb("has", AUX), "AUX");
        assert_eq!(part_of_speech(tag("MD"), AUX, "can"), "AUX");
        assert_eq!(part_of_speech(tag("NN"), ROOT, "cat"), "NOUN");
    }
}
