//! Words that are known: contractions, abbreviations, faces, hours.

/// Before `n't`.
const NEGATED: [&[u8]; 23] = [
    b"ai", b"are", b"ca", b"could", b"dare", b"did", b"does", b"do", b"had", b"has", b"have",
    b"is", b"may", b"might", b"must", b"need", b"ought", b"sha", b"should", b"was", b"were", b"wo",
    b"would",
];

/// Before `'ll`, `'d`, `'ve`, `'re`, `'s`, `'m`.
const PRONOUNS: [&[u8]; 19] = [
    b"i", b"you", b"he", b"she", b"it", b"we", b"they", b"that", b"this", b"there", b"these",
    b"those", b"who", b"what", b"when", b"where", b"why", b"how", b"let",
];

/// Before `'ve`.
const MODALS: [&[u8]; 6] = [b"could", b"might", b"must", b"should", b"would", b"not"];

/// Words that would be a pronoun with an ending, had they lost an apostrophe.
const NOT_CONTRACTED: [&[u8]; 14] = [
    b"ill", b"hell", b"shell", b"well", b"were", b"its", b"shed", b"whore", b"lets", b"letll",
    b"letd", b"letm", b"letre", b"letve",
];

/// The word in lower case, if it is written small or with a capital first letter and short.
fn lower(word: &[u8], buffer: &mut [u8; 12]) -> Option<usize> {
    if word.len() > buffer.len() || word[1..].iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    buffer[..word.len()].copy_from_slice(word);
    buffer[0] = buffer[0].to_ascii_lowercase();
    Some(word.len())
}

/// Where a word of letters alone is cut: `dont` is `do nt`. Its length if it is whole.
pub fn bare(word: &[u8]) -> usize {
    let whole = word.len();
    let Some(&last) = word.last() else {
        return whole;
    };
    if !(2..=9).contains(&whole) || !matches!(last, b't' | b'l' | b'd' | b'e' | b's' | b'm' | b'a')
    {
        return whole;
    }
    let mut buffer = [0; 12];
    let Some(length) = lower(word, &mut buffer) else {
        return whole;
    };
    let word = &buffer[..length];
    match (word.len(), last) {
        (6, b't') if word == b"cannot" => return 3,
        (5, b'a') if word == b"gonna" || word == b"gotta" => return 3,
        _ => {}
    }
    let ending: &[&[u8]] = match last {
        b't' => &[b"nt"],
        b'l' => &[b"ll"],
        b'e' => &[b"ve", b"re"],
        b'd' => &[b"d"],
        b's' => &[b"s"],
        b'm' => &[b"m"],
        _ => return whole,
    };
    for ending in ending {
        if let Some(stem) = word.strip_suffix(*ending)
            && !stem.is_empty()
            && takes(stem, ending)
            && !NOT_CONTRACTED.contains(&word)
        {
            return stem.len();
        }
    }
    whole
}

/// Whether a stem takes an ending, written without its apostrophe.
fn takes(stem: &[u8], ending: &[u8]) -> bool {
    match ending {
        b"nt" => NEGATED.contains(&stem),
        b"m" => stem == b"i",
        b"s" => {
            !matches!(stem, b"i" | b"you" | b"we" | b"they" | b"these" | b"those")
                && PRONOUNS.contains(&stem)
        }
        b"re" => {
            !matches!(stem, b"i" | b"he" | b"she" | b"it" | b"that" | b"this")
                && PRONOUNS.contains(&stem)
        }
        b"ve" => {
            !matches!(stem, b"he" | b"she" | b"it" | b"that" | b"this")
                && (PRONOUNS.contains(&stem) || MODALS.contains(&stem))
        }
        _ => PRONOUNS.contains(&stem),
    }
}

/// Words with marks in them that stay whole.
const WHOLE: [&str; 102] = [
    "a.m.",
    "p.m.",
    "A.M.",
    "P.M.",
    "e.g.",
    "i.e.",
    "E.g.",
    "I.e.",
    "E.G.",
    "I.E.",
    "v.s.",
    "vs.",
    "co.",
    "Co.",
    "and/or",
    "w/o",
    "C++",
    "ma'am",
    "Ma'am",
    "o'clock",
    "O'clock",
    "ol'",
    "Ol'",
    "Adm.",
    "Ak.",
    "Ala.",
    "Apr.",
    "Ariz.",
    "Ark.",
    "Aug.",
    "Bros.",
    "Calif.",
    "Colo.",
    "Conn.",
    "Corp.",
    "D.C.",
    "Dec.",
    "Del.",
    "Dr.",
    "Feb.",
    "Fla.",
    "Ga.",
    "Gen.",
    "Gov.",
    "Ia.",
    "Id.",
    "Ill.",
    "Inc.",
    "Ind.",
    "Jan.",
    "Jr.",
    "Jul.",
    "Jun.",
    "Kan.",
    "Kans.",
    "Ky.",
    "La.",
    "Ltd.",
    "Mar.",
    "Mass.",
    "Md.",
    "Messrs.",
    "Mich.",
    "Minn.",
    "Miss.",
    "Mo.",
    "Mont.",
    "Mr.",
    "Mrs.",
    "Ms.",
    "Mt.",
    "N.Y.",
    "Neb.",
    "Nev.",
    "Nov.",
    "Oct.",
    "Okla.",
    "Ore.",
    "Pa.",
    "Ph.D.",
    "Prof.",
    "Rep.",
    "Rev.",
    "S.C.",
    "Sen.",
    "Sep.",
    "Sept.",
    "St.",
    "Tenn.",
    "Va.",
    "Wash.",
    "Wis.",
    "''",
    "goin'",
    "doin'",
    "nothin'",
    "lovin'",
    "havin'",
    "somethin'",
    "'Cause",
    "Nothin'",
    "Goin'",
];

/// Faces.
const FACES: [&str; 37] = [
    ":)", ":-)", ";)", ";-)", ":(", ":-(", ":D", ":-D", ":P", ":p", ":-P", ":/", ":-/", ":3", "<3",
    "=)", "=(", "=D", "^_^", "8)", "8-)", ":o", ":O", ":|", ":*", ":'(", ":]", ":[", ";D", ":))",
    ":((", "-_-", ":x", ":X", "):", "(:", "(=",
];

/// Where a word that is known is cut: after the first part and after the second; both its length if it stays whole.
pub fn known(word: &str) -> Option<(usize, usize)> {
    let bytes = word.as_bytes();
    let whole = Some((bytes.len(), bytes.len()));
    let (&first, &last) = (bytes.first()?, bytes.last()?);
    if bytes.len() > 14 {
        return None;
    }
    // An apostrophe in a word: the ASCII one or the curly one.
    let apostrophe = bytes
        .iter()
        .rposition(|&byte| byte == b'\'' || byte == 0xe2);
    if let Some(at) = apostrophe {
        let width = if bytes[at] == b'\'' { 1 } else { 3 };
        if width == 1 || bytes[at..].starts_with("’".as_bytes()) {
            let ending = &bytes[at + width..];
            let small = at == 0
                && matches!(
                    ending,
                    b"s" | b"S" | b"d" | b"re" | b"ll" | b"ve" | b"em" | b"m" | b"cause" | b"bout"
                );
            if small {
                return whole;
            }
            let mut buffer = [0; 12];
            if at > 0
                && let Some(length) = lower(&bytes[..at], &mut buffer)
            {
                let stem = &buffer[..length];
                if ending == b"t"
                    && let Some(stem) = stem.strip_suffix(b"n")
                    && NEGATED.contains(&stem)
                {
                    return Some((stem.len(), bytes.len()));
                }
                if matches!(ending, b"ll" | b"d" | b"ve" | b"re" | b"s" | b"m")
                    && takes(stem, ending)
                {
                    return Some((length, bytes.len()));
                }
            }
        }
    }
    if word == "y'all" {
        return Some((2, 5));
    }
    if bytes.len() == 2 && last == b'.' && first.is_ascii_lowercase() {
        return whole;
    }
    if first.is_ascii_digit() {
        return time(bytes);
    }
    let marked = first.is_ascii_punctuation()
        || last == b'.'
        || (bytes.len() < 8
            && (apostrophe.is_some() || bytes.iter().any(|byte| matches!(byte, b'/' | b'+'))));
    if marked && (WHOLE.contains(&word) || (bytes.len() < 4 && FACES.contains(&word))) {
        return whole;
    }
    if bytes.iter().all(u8::is_ascii_alphabetic) {
        let cut = bare(bytes);
        if cut < bytes.len() {
            return Some((cut, bytes.len()));
        }
    }
    None
}

/// `10am`, `7p.m.`: the hour and the half of the day.
fn time(word: &[u8]) -> Option<(usize, usize)> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let known = matches!(&word[digits..], b"am" | b"pm" | b"a.m." | b"p.m.") && digits <= 2;
    known.then_some((digits, word.len()))
}
