
namespace ThreatFeeds.Pulling;

/// <summary>What to fetch.</summary>
/// <param name="Headers">Name and value; dropped when a redirect leads to another host.</param>
/// <param name="ETag">Of the set held; null asks for the body in any case.</param>
/// <param name="LastModified">Of the set held, as the server wrote it.</param>
public sealed record FetchRequest(Uri Url, IReadOnlyList<KeyValuePair<string, string>> Headers, string? ETag = null, string? LastModified = null);

/// <summary>An answer whose body, decompressed, lies in a file of ours until this is disposed.</summary>
public sealed class FetchedBody : IAsyncDisposable
{
    private readonly FileStream? _file;

    internal FetchedBody(int status, FileStream? file, string digest, string? eTag, string? lastModified)
    {
        Status = status;
        _file = file;
        Digest = digest;
        ETag = eTag;
        LastModified = lastModified;
    }

    public int Status { get; }

    /// <summary>The server says that the set held is still the newest; there is no body.</summary>
    public bool NotModified => Status == 304;

    /// <summary>Length after decompression.</summary>
    public long Bytes => _file?.Length ?? 0;

    /// <summary>SHA-256 (lower-case hex) of the body after decompression; empty without a body.</summary>
    public string Digest { get; }

    public string? ETag { get; }

    public string? LastModified { get; }

    /// <summary>The body from its beginning.</summary>
    public Stream Rewind()
    {
        if (_file is null)
        {
            return Stream.Null;
        }
        _file.Position = 0;
        return _file;
    }

    public ValueTask DisposeAsync() => _file?.DisposeAsync() ?? ValueTask.CompletedTask;
}
