//! Texts for posts: invented, each about something else, so that none is a copy of another.

const PLACES: [&str; 11] = [
    "harbour",
    "orchard",
    "observatory",
    "glasshouse",
    "quarry",
    "lighthouse",
    "bakery",
    "signal box",
    "tannery",
    "boathouse",
    "windmill",
];
const PEOPLE: [&str; 13] = [
    "keeper",
    "apprentice",
    "surveyor",
    "weaver",
    "ferryman",
    "cartographer",
    "beekeeper",
    "locksmith",
    "botanist",
    "carpenter",
    "conductor",
    "glazier",
    "pilot",
];
const DEEDS: [&str; 17] = [
    "counted the swallows",
    "repaired the sluice",
    "lost a green umbrella",
    "measured the tide",
    "painted the gate",
    "found a brass compass",
    "rang the old bell",
    "moved the sundial",
    "planted nine quinces",
    "sorted the ropes",
    "mapped the footpath",
    "sharpened every saw",
    "emptied the cistern",
    "boiled the indigo",
    "traded two lanterns",
    "hung the nets to dry",
    "buried the time capsule",
];
const WHEN: [&str; 7] = [
    "before breakfast",
    "in heavy rain",
    "while the band played",
    "by moonlight",
    "without any hurry",
    "between two thunderstorms",
    "on the longest day",
];

/// A text of its own for each number, tagged.
pub(crate) fn dispatch(number: usize) -> String {
    let (place, person) = (PLACES[number % PLACES.len()], PEOPLE[number % PEOPLE.len()]);
    let (deed, when) = (DEEDS[number % DEEDS.len()], WHEN[number % WHEN.len()]);
    format!("Dispatch {number} from the {place}: the {person} {deed} {when} #firsthand")
}

/// An author of their own for each number.
pub(crate) fn author(number: usize) -> String {
    format!("reporter_{number}")
}
