//! Connections that can be closed in the middle of an answer.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// What a handler can do to its connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// How many bytes may still be written; then the connection is closed.
    bytes_left: Arc<AtomicUsize>,
}

impl Connection {
    fn new() -> Self {
        Self { bytes_left: Arc::new(AtomicUsize::new(usize::MAX)) }
    }

    /// Closes the connection after `bytes` more bytes: 0 loses the whole answer.
    pub(super) fn close_after(&self, bytes: usize) {
        self.bytes_left.store(bytes, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, WatchedListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, WatchedListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// Accepts connections together with their [`Connection`].
pub(super) struct WatchedListener(pub(super) TcpListener);

impl Listener for WatchedListener {
    type Io = WatchedStream;
    type Addr = Connection;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        let connection = Connection::new();
        (WatchedStream { stream, connection: connection.clone() }, connection)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(Connection::new())
    }
}

/// A stream that stops writing when its allowance is used up.
pub(super) struct WatchedStream {
    stream: TcpStream,
    connection: Connection,
}

impl AsyncRead for WatchedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let allowed = self.connection.bytes_left.load(Ordering::SeqCst).min(buf.len());
        if allowed == 0 && !buf.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &buf[..allowed]))?;
        let left = &self.connection.bytes_left;
        if left.load(Ordering::SeqCst) != usize::MAX {
            left.fetch_sub(written, Ordering::SeqCst);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
