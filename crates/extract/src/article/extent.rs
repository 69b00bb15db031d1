//! How much text there is in a subtree, in numbers that add up.

/// What a subtree has of text.
#[derive(Clone, Copy, Default)]
pub struct Extent {
    /// Characters, with each run of white space taken for one.
    pub characters: u32,
    /// Commas.
    pub commas: u32,
    /// Tenths of characters inside links; those to places of the same page count less.
    pub linked: u64,
    starts_blank: bool,
    ends_blank: bool,
}

impl Extent {
    /// That of a text.
    pub fn of(text: &str) -> Self {
        let mut extent = Self::default();
        if text.is_ascii() {
            let mut last = false;
            for &byte in text.as_bytes() {
                let is_blank = byte == b' ' || byte.wrapping_sub(b'\t') < 5;
                extent.characters += u32::from(!(is_blank & last));
                extent.commas += u32::from(byte == b',');
                last = is_blank;
            }
        } else {
            let mut last = false;
            for character in text.chars() {
                let is_blank = character.is_whitespace();
                extent.characters += u32::from(!(is_blank && last));
                extent.commas += u32::from(is_comma(character));
                last = is_blank;
            }
        }
        extent.starts_blank = text.starts_with(char::is_whitespace);
        extent.ends_blank = text.ends_with(char::is_whitespace);
        extent
    }

    /// This and what comes behind it.
    pub fn then(self, next: Self) -> Self {
        if self.characters == 0 {
            return Self {
                linked: self.linked + next.linked,
                ..next
            };
        }
        if next.characters == 0 {
            return Self {
                linked: self.linked + next.linked,
                ..self
            };
        }
        let shared = u32::from(self.ends_blank && next.starts_blank);
        Self {
            characters: self.characters + next.characters - shared,
            commas: self.commas + next.commas,
            linked: self.linked + next.linked,
            starts_blank: self.starts_blank,
            ends_blank: next.ends_blank,
        }
    }

    /// Its length without the blanks around it.
    pub fn length(self) -> u32 {
        let around = u32::from(self.starts_blank) + u32::from(self.ends_blank);
        self.characters.saturating_sub(around)
    }

    /// Which part of it is in links.
    pub fn link_density(self) -> f32 {
        let length = self.length();
        if length == 0 {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = self.linked as f32 / (length as f32 * 10.0);
        share
    }
}

/// Commas of all scripts, as Readability counts them.
fn is_comma(character: char) -> bool {
    matches!(
        character,
        ',' | '\u{060c}'
            | '\u{fe50}'
            | '\u{fe10}'
            | '\u{fe11}'
            | '\u{2e41}'
            | '\u{2e34}'
            | '\u{2e32}'
            | '\u{ff0c}'
    )
}
