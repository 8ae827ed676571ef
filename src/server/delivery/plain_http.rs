//! Answers clients that send plain HTTP to a TLS port.

use axum::http::{HeaderValue, Request, Response, StatusCode, header, uri::Authority};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, io};
use tokio::net::TcpStream;

/// The first byte of a TLS handshake (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// Whether the client begins a TLS handshake, or has closed.
pub(super) async fn is_handshake(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(stream.peek(&mut first).await? == 0 || first[0] == HANDSHAKE_RECORD)
}

/// Responds to the request with 400 and the address to use.
pub(super) async fn refuse(http: &http1::Builder, stream: TcpStream) -> io::Result<()> {
    let local = stream.local_addr()?.to_string();
    let service = service_fn(async |request| Ok::<_, Infallible>(use_https(&request, &local)));
    let connection = http.clone().keep_alive(false).serve_connection(TokioIo::new(stream), service);
    connection.await.map_err(io::Error::other)
}

fn use_https(request: &Request<Incoming>, local: &str) -> Response<String> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let host = host.as_ref().map_or(local, Authority::as_str);
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut response = Response::new(format!("This port speaks HTTPS. Use https://{host}{path}\n"));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
