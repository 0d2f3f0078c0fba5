namespace ThreatFeeds.Pulling;

/// <summary>What to fetch.</summary>
/// <param name="Headers">Name and value; dropped when a redirect leads to another host.</param>
/// <param name="ETag">Of the set held, when this URL gave it; null asks for the body in any case.</param>
/// <param name="LastModified">As <paramref name="ETag"/>, as the server wrote it.</param>
public sealed record FetchRequest(Uri Url, IReadOnlyList<KeyValuePair<string, string>> Headers, string? ETag = null, string? LastModified = null);

/// <summary>An answer whose body, decompressed, lies in a file of ours until this is disposed.</summary>
public sealed class FetchedBody : IAsyncDisposable
{
    private readonly SpoolFile? _file;
    private readonly Validators _validators;

    internal FetchedBody(int status, SpoolFile? file, string digest, Validators validators)
    {
        Status = status;
        _file = file;
        Digest = digest;
        _validators = validators;
    }

    public int Status { get; }

    /// <summary>Asked with the validators of the set held, the server says that it is still the newest; there is no body.</summary>
    public bool NotModified => Status == 304;

    /// <summary>Length after decompression.</summary>
    public long Bytes => _file?.Bytes ?? 0;

    /// <summary>SHA-256 (lower-case hex) of the body after decompression; empty without a body.</summary>
    public string Digest { get; }

    /// <summary>The validator of what the URL asked for gave; null when there is none, when it could not be sent back, and when the body came from elsewhere.</summary>
    public string? ETag => _validators.ETag;

    /// <summary>As <see cref="ETag"/>.</summary>
    public string? LastModified => _validators.LastModified;

    /// <summary>The body from its beginning.</summary>
    public Stream Rewind() => _file?.Rewind() ?? Stream.Null;

    public ValueTask DisposeAsync() => _file?.DisposeAsync() ?? ValueTask.CompletedTask;
}
