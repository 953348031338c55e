//! The words, in many languages, by which people say that they repeat somebody else.

/// Marks that announce a repeated text, in front of a mention.
pub(super) const HEADERS: &[&str] = &["rt", "mt", "prt", "ort", "qt", "rtw", "рт", "♻", "♺", "🔁", "🔄"];

/// Words that announce a repeated text where they begin the post, or where a colon follows the mention: inside a sentence
/// they tell of a repost ("I retweeted @a because …").
pub(super) const HEADER_WORDS: &[&str] = &[
    "retweet",
    "retweeted",
    "retweeting",
    "repost",
    "reposted",
    "reposting",
    "boosted",
    "ретвит",
    "репост",
    "رتويت",
    "ريتويت",
    "ריטוויט",
    "रीट्वीट",
    "รีทวีต",
    "转发",
    "轉發",
    "转推",
    "轉推",
    "转自",
    "轉自",
    "引用",
    "リツイート",
    "リポスト",
    "리트윗",
];

/// Words that ask for a retweet: what follows "please RT" is no header.
pub(super) const ASKING: &[&str] = &["please", "pls", "plz", "kindly", "favor", "bitte"];

/// Words that credit a source wherever they stand at the end of a text.
pub(super) const CREDITS: &[&str] = &[
    "via",
    "vía",
    "h/t",
    "ht",
    "hattip",
    "hat tip",
    "hat tip to",
    "a través de",
    "através de",
    "tramite",
    "attraverso",
    "cortesía de",
    "gefunden bei",
    "gesehen bei",
    "entdeckt bei",
    "vu chez",
    "repéré par",
    "visto en",
    "visto su",
    "through",
    "через",
    "عبر",
    "عن طريق",
    "באמצעות",
    "דרך",
    "ผ่าน",
    "μέσω",
    "za pośrednictwem",
    "通过",
    "透過",
    "来自",
    "來自",
    "来源",
    "來源",
    "lewat",
    "melalui",
    "cc via",
    "thông qua",
    "از طریق",
    "به نقل از",
    "نقلا عن",
    "साभार",
    "ຜ່ານ",
    "តាមរយៈ",
];

/// Words that credit a source only where punctuation or a link sets them apart: inside a sentence they mean something
/// else ("voto por @a" is no credit).
pub(super) const CREDITS_APART: &[&str] =
    &["por", "par", "von", "от", "przez", "av", "door", "af", "tarafından", "theo"];

/// Words that credit a source only in brackets.
pub(super) const CREDITS_BRACKETED: &[&str] = &[
    "from",
    "by",
    "da",
    "di",
    "de",
    "du",
    "bei",
    "source",
    "src",
    "quelle",
    "fuente",
    "fonte",
    "źródło",
    "forrás",
    "bron",
    "källa",
    "kilde",
    "lähde",
    "zdroj",
    "sursa",
    "kaynak",
    "sumber",
    "dari",
    "nguồn",
    "источник",
    "източник",
    "джерело",
    "πηγή",
    "مصدر",
    "المصدر",
    "منبع",
    "מקור",
    "स्रोत",
    "সূত্র",
    "நன்றி",
    "ที่มา",
    "เครดิต",
    "จาก",
    "ທີ່ມາ",
    "ប្រភព",
    "ምንጭ",
    "출처",
    "出典",
    "cr",
    "credit",
    "credits",
    "thanks",
    "thx",
    "danke",
    "gracias",
    "merci",
];

/// Words that credit the mention in front of them, at the end of a text. In these languages a sentence ends in its verb,
/// so what says "by means of" behind one is no part of it.
pub(super) const CREDITS_BEHIND: &[&str] =
    &["님을 통해", "aracılığıyla", "के माध्यम से", "के ज़रिए", "এর মাধ্যমে", "মাধ্যমে", "வழியாக", "မှတဆင့်", "မှတစ်ဆင့်"];

/// The same, but only where punctuation or a link sets them apart: they also mean "from" and "than".
pub(super) const CREDITS_BEHIND_APART: &[&str] = &["さんから", "より", "から", "さんより", "님이", "에서", "kautta"];

/// Accounts that share buttons name by themselves: nobody's words are credited by them.
pub(super) const SHARE_BUTTONS: &[&str] = &[
    "youtube",
    "addthis",
    "sharethis",
    "change",
    "changeorg",
    "flipboard",
    "pocket",
    "getpocket",
    "feedly",
    "pinterest",
    "instagram",
    "facebook",
    "linkedin",
    "soundcloud",
    "spotify",
    "wordpressdotcom",
    "tumblr",
    "storify",
    "scoopit",
    "slideshare",
    "vimeo",
    "ustream",
    "goodreads",
    "kickstarter",
    "buffer",
    "hootsuite",
    "paperli",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::clean::clean;

    #[test]
    fn words_are_written_as_they_stand_in_a_cleaned_text() {
        let lists = [
            HEADERS,
            HEADER_WORDS,
            ASKING,
            CREDITS,
            CREDITS_APART,
            CREDITS_BRACKETED,
            CREDITS_BEHIND,
            CREDITS_BEHIND_APART,
            SHARE_BUTTONS,
        ];
        for word in lists.into_iter().flatten() {
            assert_eq!(clean(word), *word, "{:x?}", clean(word).chars().map(u32::from).collect::<Vec<_>>());
            assert_eq!(word.to_lowercase(), *word);
        }
    }
}
