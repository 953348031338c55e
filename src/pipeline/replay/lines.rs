//! Reads posts from JSON lines, plain or gzipped, in bounded memory.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

use crate::{
    model::{Author, Facts, NetworkKind, Post, Provenance, RemoteId, TimeMs},
    network::lossy_json::mend_surrogates,
};

/// The longest line that is read, in bytes. A longer one is reported as bad; the rest of it is passed over.
const LINE_LIMIT_BYTES: u64 = 1024 * 1024;

/// Where lines come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineSource {
    /// A file; gzip is recognised by its content.
    File(PathBuf),
    /// Standard input; gzip is recognised by its content.
    Stdin,
}

impl LineSource {
    /// `-` is standard input, everything else a file.
    pub fn from_argument(argument: &Path) -> Self {
        if argument == Path::new("-") { Self::Stdin } else { Self::File(argument.to_owned()) }
    }

    /// The name that messages use.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_owned(),
        }
    }

    /// The size on disk, for a progress bar.
    pub fn size_bytes(&self) -> Option<u64> {
        match self {
            Self::File(path) => path.metadata().ok().map(|metadata| metadata.len()),
            Self::Stdin => None,
        }
    }
}

/// A line that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Where it stands.
    pub source: String,
    /// Its number, from 1.
    pub number: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// The lines of one source, as posts.
pub struct ReplayInput {
    name: String,
    reader: Box<dyn BufRead + Send>,
    number: u64,
    buffer: Vec<u8>,
}

/// One line's fields; others are ignored.
#[derive(Deserialize)]
struct Fields {
    id: Id,
    text: String,
    #[serde(default)]
    author: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    lang: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(serde_json::Number),
}

impl ReplayInput {
    /// Opens a source. `progress` is told of every byte that is read from it, before decompression.
    ///
    /// # Errors
    /// What the operating system says to opening or reading it.
    pub fn open(source: &LineSource, progress: impl FnMut(u64) + Send + 'static) -> io::Result<Self> {
        let raw: Box<dyn Read + Send> = match source {
            LineSource::File(path) => Box::new(File::open(path)?),
            LineSource::Stdin => Box::new(io::stdin()),
        };
        Self::new(source.name(), Counted { inner: raw, progress })
    }

    /// Reads from anything; gzip is recognised by its content.
    ///
    /// # Errors
    /// What reading it says.
    pub fn new(name: String, raw: impl Read + Send + 'static) -> io::Result<Self> {
        let mut raw = BufReader::with_capacity(64 * 1024, raw);
        let is_gzip = raw.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn BufRead + Send> =
            if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(raw))) } else { Box::new(raw) };
        Ok(Self { name, reader, number: 0, buffer: Vec::new() })
    }

    /// The next post, or what is wrong with the next line; `None` at the end. A post without a time takes `before`.
    ///
    /// # Errors
    /// What the operating system or the decompression says; nothing more can be read then.
    pub fn next(&mut self, before: TimeMs) -> io::Result<Option<Result<Post, BadLine>>> {
        loop {
            self.buffer.clear();
            let read = self.reader.by_ref().take(LINE_LIMIT_BYTES).read_until(b'\n', &mut self.buffer)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if read as u64 == LINE_LIMIT_BYTES && !self.buffer.ends_with(b"\n") {
                self.reader.skip_until(b'\n')?;
                return Ok(Some(Err(self.bad(format!("longer than {LINE_LIMIT_BYTES} bytes")))));
            }
            let line = String::from_utf8_lossy(&self.buffer);
            let line = line.trim().trim_start_matches('\u{feff}');
            if line.is_empty() {
                continue;
            }
            let post = parse(line, before);
            return Ok(Some(post.map_err(|reason| self.bad(reason))));
        }
    }

    fn bad(&self, reason: String) -> BadLine {
        BadLine { source: self.name.clone(), number: self.number, reason }
    }
}

fn parse(line: &str, before: TimeMs) -> Result<Post, String> {
    let fields: Fields = serde_json::from_str(&mend_surrogates(line)).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => format!("no post: {}", without_position(&error)),
        _ => format!("not JSON: {error}"),
    })?;
    let remote_id = match fields.id {
        Id::Text(id) => id,
        Id::Number(id) => id.to_string(),
    };
    if remote_id.is_empty() {
        return Err("its id is empty".to_owned());
    }
    let created_at = match fields.created_at {
        Some(time) => time.parse().map_err(|_| "its created_at is not a time in RFC 3339".to_owned())?,
        None => before,
    };
    Ok(Post {
        network: NetworkKind::Replay,
        remote_id: RemoteId::new(remote_id),
        author: fields.author.filter(|author| !author.trim().is_empty()).map(|author| Author::from_handle(&author)),
        text: fields.text,
        lang: fields.lang,
        created_at,
        repost_of: None,
        provenance: Provenance::Replay,
        facts: Facts::default(),
    })
}

/// serde's message ends in "at line 1 column 7"; only the column is of use here.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.split(" at line ").next().unwrap_or_default().to_owned()
}

/// Tells how much was read.
struct Counted<R, P> {
    inner: R,
    progress: P,
}

impl<R: Read, P: FnMut(u64)> Read for Counted<R, P> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        (self.progress)(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read_all(content: &[u8]) -> Vec<Result<Post, BadLine>> {
        let mut input = ReplayInput::new("the test".to_owned(), io::Cursor::new(content.to_vec())).unwrap();
        let mut posts = Vec::new();
        let mut before = TimeMs(0);
        while let Some(post) = input.next(before).unwrap() {
            before = post.as_ref().map_or(before, |post| post.created_at);
            posts.push(post);
        }
        posts
    }

    #[test]
    fn absent_and_null_fields_are_the_same_and_others_are_ignored() {
        let posts = read_all(
            br#"{"id":"1","text":"a","created_at":"2026-01-01T00:00:00Z","author":"@Ada","lang":"en"}
{"id":2,"text":"b","author":null,"created_at":null,"lang":null,"likes":7}
"#,
        );
        let posts: Vec<Post> = posts.into_iter().map(Result::unwrap).collect();
        assert_eq!(posts[0].author.as_ref().unwrap().handle, "Ada");
        assert_eq!(posts[1].remote_id.as_str(), "2");
        assert_eq!(posts[1].author, None);
        assert_eq!(posts[1].created_at, posts[0].created_at, "it takes the time of the one before");
    }

    #[test]
    fn a_bad_line_is_told_with_its_number_and_the_others_are_read() {
        let long = format!("{{\"id\":\"9\",\"text\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
        let content = format!(
            "{{\"id\":\"1\",\"text\":\"a\"}}\n\nnonsense\n{{\"text\":\"no id\"}}\n{long}\n{{\"id\":\"2\",\"text\":\"b\"}}"
        );
        let posts = read_all(content.as_bytes());
        let bad: Vec<u64> = posts.iter().filter_map(|post| post.as_ref().err()).map(|bad| bad.number).collect();
        assert_eq!(bad, [3, 4, 5]);
        assert_eq!(posts.iter().filter(|post| post.is_ok()).count(), 2);
    }

    #[test]
    fn gzip_is_recognised_by_its_content() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"{\"id\":\"1\",\"text\":\"packed\"}\n").unwrap();
        let posts = read_all(&encoder.finish().unwrap());
        assert_eq!(posts[0].as_ref().unwrap().text, "packed");
    }

    #[test]
    fn bytes_that_are_no_text_do_not_lose_the_line() {
        let posts = read_all(br#"{"id":"1","text":"half a pair: \ud83d!"}"#);
        assert_eq!(posts[0].as_ref().unwrap().text, "half a pair: \u{fffd}!");
        let posts = read_all(b"{\"id\":\"1\",\"text\":\"caf\xe9\"}\n");
        assert_eq!(posts[0].as_ref().unwrap().text, "caf\u{fffd}");
    }
}
