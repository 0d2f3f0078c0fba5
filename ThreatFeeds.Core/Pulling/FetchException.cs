using System.Net.Sockets;
using System.Security.Authentication;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Pulling;

/// <summary>A body could not be had; the message says what an operator can act on.</summary>
public sealed class FetchException : Exception
{
    public FetchException() { }

    public FetchException(string message) : this(message, null) { }

    /// <param name="message">May quote a server: it is cut, and made visible.</param>
    public FetchException(string message, Exception? inner) : base(VisibleText.Of(message, VisibleText.Message), inner) { }

    /// <summary>HTTP status of the answer, when there was one.</summary>
    public int? Status { get; init; }

    /// <summary>An answer came, but its body is cut short, too long or broken: the last good set is kept for that reason.</summary>
    public bool BodyUnusable { get; init; }

    /// <summary>Nothing is wrong with the feed: other bodies take the room now.</summary>
    public bool Busy { get; init; }

    /// <summary>A Secret or ConfigMap, or its key, is not there.</summary>
    public bool HeaderSourceMissing { get; init; }

    internal static FetchException From(Exception error, Uri url)
    {
        for (Exception? e = error; e is not null; e = e.InnerException)
        {
            if (e is FetchException known)
            {
                return known;
            }
        }
        string host = url.Authority;
        for (Exception? e = error; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case AuthenticationException:
                    return new FetchException($"The certificate of {host} is not trusted: {e.Message} Add its authority with Pulling:CaFile when it is your own. A server has to send the certificates between; they are fetched nowhere.", error);
                case SocketException socket:
                    return new FetchException(Words(socket, url), error);
                case HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded }:
                    return new FetchException($"{host} closed the connection without an answer.", error);
            }
        }
        return new FetchException($"Pulling from {host} failed: {VisibleText.Of(error.Message, VisibleText.Quoted)}", error);
    }

    internal static string Words(SocketException error, Uri url) => error.SocketErrorCode switch
    {
        SocketError.HostNotFound or SocketError.NoData => $"The name {url.IdnHost} was not found in DNS.",
        SocketError.TryAgain => $"The name {url.IdnHost} could not be resolved now: the DNS server did not answer.",
        SocketError.ConnectionRefused => $"{url.Authority} refused the connection: nothing listens there.",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => $"{url.Authority} cannot be reached: there is no route from here.",
        SocketError.ConnectionReset => $"{url.Authority} reset the connection.",
        SocketError.TimedOut => $"{url.Authority} did not answer the connection in time.",
        _ => $"Connecting to {url.Authority} failed ({error.SocketErrorCode}).",
    };

    internal static FetchException ForStatus(int status, Uri url) => new(
        status switch
        {
            304 => $"{url.Authority} answered 304 (not modified) to a request with no condition: there is no list to keep.",
            401 => $"{url.Authority} answered 401: it wants credentials; give them as a header from a Secret.",
            403 => $"{url.Authority} answered 403: it forbids this download; check the headers and whether your address is allowed.",
            404 => $"{url.Authority} answered 404: there is nothing at {VisibleText.Of(url.AbsolutePath, VisibleText.Quoted)}.",
            410 => $"{url.Authority} answered 410: the list at {VisibleText.Of(url.AbsolutePath, VisibleText.Quoted)} is gone for good.",
            429 => $"{url.Authority} answered 429: it is asked too often; use a longer period.",
            >= 500 => $"{url.Authority} answered {status}: the server has a problem of its own.",
            _ => $"{url.Authority} answered {status}, not 200.",
        })
    { Status = status };
}
