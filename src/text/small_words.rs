//! Words by which two texts may or may not differ: those that say nothing by themselves, those that deny, and
//! abbreviations of a word.

/// Words that say nothing by themselves, folded: articles, possessives and demonstratives, "and", "that", the commonest
/// prepositions, and how people abbreviate these. One may stand in the place of another without a change of what is
/// said. Of words that have an opposite only one pole is here ("in", not "out"), and nothing that counts, asks or denies.
#[rustfmt::skip] // One word a line would be pages of nothing.
const SAYS_NOTHING: &[&str] = &[
    // What asks for a retweet
    "rt", "retweet", "pls", "plz", "please", "spread", "share", "via",
    // English
    "a", "an", "the", "this", "that", "these", "those", "my", "our", "your", "ur", "its", "their", "and", "n", "amp",
    "of", "in", "on", "at", "to", "for", "with", "by", "as", "is", "are", "r", "i", "we", "you", "u", "so", "be",
    "can",
    // German
    "der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "mein", "meine", "unser",
    "unsere", "dieser", "diese", "dieses", "und", "zu", "zum", "zur", "im", "am", "für", "von", "vom", "bei", "mit",
    "dass",
    // Spanish
    "el", "la", "lo", "los", "las", "un", "una", "unos", "unas", "este", "esta", "estos", "estas", "ese", "esa", "mi",
    "mis", "su", "sus", "tu", "tus", "nuestro", "nuestra", "nuestros", "nuestras", "y", "e", "que", "q", "k", "al",
    "del", "de", "d", "en", "por", "x", "para", "pa", "con", "te", "t", "se", "ya",
    // French
    "le", "les", "l", "une", "du", "ce", "cet", "cette", "ces", "mon", "ma", "mes", "notre", "nos", "et", "qu", "à",
    "au", "aux", "dans", "pour", "par", "avec",
    // Italian
    "il", "gli", "uno", "questo", "questa", "mio", "mia", "nostro", "nostra", "ed", "che", "di", "da", "al", "per",
    // Portuguese
    "o", "os", "as", "um", "uma", "meu", "minha", "nosso", "nossa", "do", "dos", "das", "na", "em", "com",
    // Dutch
    "het", "een", "dit", "deze", "mijn", "ons", "onze", "van", "voor", "op", "met",
    // Swedish, Danish, Hungarian, Turkish
    "och", "og", "ett", "det", "som", "på", "för", "és", "az", "ve", "bir", "bu",
    // Indonesian
    "ini", "itu", "yang", "yg", "dan", "di",
    // Russian, Arabic
    "и", "а", "в", "на", "с", "для", "к", "по", "наш", "наша", "мой", "моя", "ال", "و", "في", "هذا", "هذه",
    // Japanese
    "は", "が", "も", "を", "に", "へ", "で", "と", "の",
];

/// Words that deny what stands beside them, folded as canonical texts are. Words that are another common word in one of the
/// larger languages are left out.
#[rustfmt::skip] // One word a line would be pages of nothing.
const DENIES: &[&str] = &[
    // English
    "not", "no", "never", "none", "nobody", "nothing", "without", "cannot", "cant", "wont", "isnt", "arent", "wasnt",
    "werent", "dont", "doesnt", "didnt", "hasnt", "havent", "hadnt", "wouldnt", "couldnt", "shouldnt", "aint",
    // German
    "nicht", "kein", "keine", "keinen", "keinem", "keiner", "nie", "niemals", "nichts", "niemand", "ohne",
    // Spanish
    "nunca", "jamás", "ningún", "ninguna", "ninguno", "nada", "nadie", "sin", "tampoco",
    // French, Italian
    "ne", "pas", "jamais", "rien", "aucun", "aucune", "sans", "non", "niente", "nessuno", "nessuna", "senza",
    // Portuguese
    "não", "nao", "nenhum", "nenhuma", "ninguém", "sem",
    // Dutch
    "niet", "geen", "nooit", "niets", "zonder",
    // Swedish, Danish, Norwegian
    "inte", "ingen", "inga", "aldrig", "ikke", "ikkje", "aldri", "ingenting",
    // Polish, Czech
    "nigdy", "bez", "nikt", "není",
    // Russian, Ukrainian
    "не", "нет", "ни", "никогда", "ничего", "никто", "без", "немає", "ні",
    // Turkish
    "değil", "yok", "hiç",
    // Arabic, Hebrew, Persian
    "لا", "لم", "لن", "ليس", "ليست", "بدون", "غير", "לא", "אין", "בלי", "نیست",
    // Hindi, Bengali, Tamil
    "नहीं", "मत", "बिना", "না", "নয়", "নেই", "இல்லை",
    // Indonesian, Vietnamese, Tagalog
    "tidak", "bukan", "tanpa", "jangan", "không", "chưa", "chẳng", "wala", "walang", "huwag",
    // Korean
    "안", "못", "없다", "없는", "없이", "아닌", "아니다",
    // Greek, Finnish, Hungarian, Romanian
    "δεν", "μην", "χωρίσ", "όχι", "eivät", "älä", "ilman", "nem", "nincs", "nélkül", "nu", "fără",
];

/// The same in scripts without spaces, where they stand inside a run of characters.
#[rustfmt::skip] // One word a line would be pages of nothing.
const DENIES_UNSPACED: &[&str] = &[
    "ない", "ません", "なかった", "不", "没", "沒", "ไม่", "មិន", "ບໍ່",
];

/// Words that count, folded: a number that is written out tells two texts apart as digits do.
#[rustfmt::skip] // One word a line would be pages of nothing.
const COUNTS: &[&str] = &[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "first",
    "second", "third", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf",
    "erste", "zweite", "dritte", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "primer",
    "primera", "segundo", "segunda", "tercer", "tercera", "deux", "trois", "quatre", "cinq", "six", "sept", "huit",
    "neuf", "dix", "premier", "première", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove", "dieci",
    "dois", "duas", "três", "quatro", "sete", "oito", "dez", "twee", "drie", "vijf", "zes", "zeven", "negen", "tien",
    "två", "fyra", "fem", "sju", "åtta", "nio", "tio", "два", "две", "три", "четыре", "пять", "шесть", "семь",
    "восемь", "девять", "десять", "iki", "üç", "dört", "beş", "alti", "yedi", "sekiz", "dokuz", "dua", "tiga",
    "empat", "lima", "enam", "दो", "तीन", "चार", "पाँच", "छह", "두", "세", "네", "다섯", "여섯", "一", "二", "三", "四", "五",
    "六", "七", "八", "九", "十",
];

/// Whether one of the words counts.
pub(super) fn count(words: &[&str]) -> bool {
    words.iter().any(|word| COUNTS.contains(word))
}

/// Whether all words say nothing by themselves.
pub(super) fn say_nothing(words: &[&str]) -> bool {
    words.iter().all(|word| SAYS_NOTHING.contains(word))
}

/// Words that a denial may have beside it ("does not") and still deny the sentence. Inside more words it belongs to them
/// ("if I'm not mistaken").
const WITH_A_DENIAL: usize = 1;

/// Whether the words that one text has and the other has not deny what the rest says.
pub(super) fn deny(words: &[&str]) -> bool {
    if words.len() <= 1 + WITH_A_DENIAL && words.iter().any(|word| DENIES.contains(word)) {
        return true;
    }
    let run = words.concat();
    DENIES_UNSPACED.iter().any(|denial| run.contains(denial))
}

/// Whether one word is the other abbreviated: "pls" and "please", "w" and "with". The first letter and the order of the
/// others stay, and at least two letters are gone: with one letter less, "now" is "no".
pub(super) fn is_abbreviation(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if short.chars().count() + 2 > long.chars().count() || short.chars().next() != long.chars().next() {
        return false;
    }
    let mut letters = long.chars();
    short.chars().all(|c| letters.any(|l| l == c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_listed_as_canonical_texts_have_them() {
        for word in SAYS_NOTHING.iter().chain(DENIES).chain(DENIES_UNSPACED).chain(COUNTS) {
            assert_eq!(crate::text::Canonical::new(word).as_str(), *word);
        }
    }

    #[test]
    fn an_abbreviation_begins_like_its_word_and_keeps_the_order() {
        for (short, long) in [("pls", "please"), ("w", "with"), ("govt", "government"), ("u", "und")] {
            assert!(is_abbreviation(short, long) && is_abbreviation(long, short), "{short} {long}");
        }
        for (a, b) in [("no", "now"), ("two", "six"), ("tow", "two"), ("in", "on"), ("cats", "dogs"), ("tea", "eat")] {
            assert!(!is_abbreviation(a, b), "{a} {b}");
        }
    }
}
