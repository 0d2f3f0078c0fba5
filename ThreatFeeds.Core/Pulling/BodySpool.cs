using System.Security.Cryptography;

namespace ThreatFeeds.Pulling;

/// <summary>Writes a foreign body to a file of ours, unpacking it, never more than allowed: neither of one body nor of all at once.</summary>
internal sealed class BodySpool
{
    /// <summary>Without it .NET takes the end of a compressed body cut short for its end.</summary>
    internal const string StrictValidation = "System.IO.Compression.UseStrictValidation";

    private readonly string _folder;
    private readonly PullingOptions _options;
    private readonly TimeProvider _time;
    private readonly SpoolRoom _room;

    // Read once by the first decompression of the process; the fetcher is made at start, before any.
    static BodySpool() => AppContext.SetSwitch(StrictValidation, true);

    public BodySpool(string dataDirectory, PullingOptions options, TimeProvider time)
    {
        _folder = Path.Combine(dataDirectory, "pulling");
        _options = options;
        _time = time;
        _room = new SpoolRoom(options.SpoolBytes);
        Directory.CreateDirectory(_folder);
        Sweep();
    }

    /// <summary>Deletes what a stopped process left behind: it belongs to runs that begin anew. Also at the end, for whatever could not stop in time.</summary>
    public void Sweep()
    {
        foreach (string left in Directory.EnumerateFiles(_folder, "*.body"))
        {
            File.Delete(left);
        }
    }

    /// <summary>Reads the whole body of an answer.</summary>
    public async Task<FetchedBody> WriteAsync(HttpResponseMessage answer, Uri url, Validators validators, CancellationToken cancellationToken)
    {
        if (answer.Content.Headers.ContentLength > _options.MaxBytes)
        {
            throw TooLong(url, _options.MaxBytes);
        }
        var file = new SpoolFile(Path.Combine(_folder, $"{Guid.NewGuid():N}.body"), _room);
        try
        {
            await using Stream raw = new PacedStream(await answer.Content.ReadAsStreamAsync(cancellationToken), _options, _time, url);
            string? coding = Header(answer, "Content-Encoding");
            await using Stream body = ContentCoding.Unpacked(raw, coding, url);
            return new FetchedBody((int)answer.StatusCode, file, await CopyAsync(body, file, url, coding, cancellationToken), validators);
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    internal static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.NonValidated.TryGetValues(name, out var values) || answer.Content.Headers.NonValidated.TryGetValues(name, out values) ? values.ToString() : null;

    internal static FetchException TooLong(Uri url, long max) => new($"The body from {url.Authority} is longer than Pulling:MaxBytes ({max} bytes).") { BodyUnusable = true };

    private async Task<string> CopyAsync(Stream from, SpoolFile to, Uri url, string? coding, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[128 * 1024];
        int read;
        while ((read = await ReadAsync(from, buffer, url, coding, cancellationToken)) > 0)
        {
            if (to.Bytes + read > _options.MaxBytes)
            {
                throw TooLong(url, _options.MaxBytes);
            }
            hash.AppendData(buffer, 0, read);
            if (!await to.TryWriteAsync(buffer.AsMemory(0, read), cancellationToken))
            {
                throw new FetchException($"There is no room for the body from {url.Authority}: all bodies being read now take what Pulling:MaxSpoolBytes allows ({_options.SpoolBytes} bytes).") { Busy = true };
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static async ValueTask<int> ReadAsync(Stream from, byte[] buffer, Uri url, string? coding, CancellationToken cancellationToken)
    {
        try
        {
            return await from.ReadAsync(buffer, cancellationToken);
        }
        // What the connection throws is a FetchException by now; brotli says it with an InvalidOperationException.
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException or IOException)
        {
            // What .NET says of it names a compression method whatever is wrong.
            throw new FetchException(
                $"The body from {url.Authority} cannot be unpacked: it is not what its Content-Encoding ({coding}) says, "
                + "its bytes are damaged (wrong checksum), it is cut short, or there is something behind its end.", e) { BodyUnusable = true };
        }
    }
}
