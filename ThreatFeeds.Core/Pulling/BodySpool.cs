using System.IO.Compression;
using System.Security.Cryptography;
using ThreatFeeds.Parsing;

namespace ThreatFeeds.Pulling;

/// <summary>Writes a foreign body to a file of ours, decompressing it, never more than allowed.</summary>
internal sealed class BodySpool
{
    /// <summary>Without it .NET takes the end of a compressed body cut short for its end.</summary>
    internal const string StrictValidation = "System.IO.Compression.UseStrictValidation";

    private readonly string _folder;
    private readonly PullingOptions _options;
    private readonly TimeProvider _time;

    // Read once by the first decompression of the process; the fetcher is made at start, before any.
    static BodySpool() => AppContext.SetSwitch(StrictValidation, true);

    public BodySpool(string dataDirectory, PullingOptions options, TimeProvider time)
    {
        _folder = Path.Combine(dataDirectory, "pulling");
        _options = options;
        _time = time;
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

    /// <summary>Reads the whole answer.</summary>
    public async Task<FetchedBody> WriteAsync(HttpResponseMessage answer, Uri url, CancellationToken cancellationToken)
    {
        if (answer.Content.Headers.ContentLength > _options.MaxBytes)
        {
            throw TooLong(url);
        }
        FileStream file = new(Path.Combine(_folder, $"{Guid.NewGuid():N}.body"), new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.None,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose,
        });
        try
        {
            await using Stream raw = new PacedStream(await answer.Content.ReadAsStreamAsync(cancellationToken), _options, _time, url);
            await using Stream body = Decoded(raw, answer.Content.Headers.ContentEncoding, url);
            string digest = await CopyAsync(body, file, url, cancellationToken);
            return new FetchedBody((int)answer.StatusCode, file, digest, Header(answer, "ETag"), Header(answer, "Last-Modified"));
        }
        catch (InvalidDataException e)
        {
            await file.DisposeAsync();
            // What .NET says of it names a compression method whatever is wrong.
            throw new FetchException(
                $"The body from {url.Authority} cannot be unpacked: it is not what its Content-Encoding ({string.Join(", ", answer.Content.Headers.ContentEncoding)}) says, "
                + "its bytes are damaged (wrong checksum), it is cut short, or there is something behind its end.", e) { BodyUnusable = true };
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    internal static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.NonValidated.TryGetValues(name, out var values) || answer.Content.Headers.NonValidated.TryGetValues(name, out values) ? values.ToString() : null;

    private static FetchException TooLong(Uri url, long max) => new($"The body from {url.Authority} is longer than Pulling:MaxBytes ({max} bytes).") { BodyUnusable = true };

    private FetchException TooLong(Uri url) => TooLong(url, _options.MaxBytes);

    private async Task<string> CopyAsync(Stream from, FileStream to, Uri url, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[128 * 1024];
        long total = 0;
        int read;
        while ((read = await from.ReadAsync(buffer, cancellationToken)) > 0)
        {
            total += read;
            if (total > _options.MaxBytes)
            {
                throw TooLong(url);
            }
            hash.AppendData(buffer, 0, read);
            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
        await to.FlushAsync(cancellationToken);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static Stream Decoded(Stream raw, ICollection<string> encodings, Uri url)
    {
        Stream body = raw;
        // The last coding named was applied last, so it comes off first.
        foreach (string encoding in encodings.Reverse())
        {
            body = encoding.ToUpperInvariant() switch
            {
                "GZIP" or "X-GZIP" => new WholeGzipStream(body),
                "BR" => new BrotliStream(body, CompressionMode.Decompress),
                "DEFLATE" => new ZLibStream(body, CompressionMode.Decompress),
                "IDENTITY" => body,
                _ => throw new FetchException($"{url.Authority} sent the body in the coding '{encoding}', which was not asked for."),
            };
        }
        return body;
    }

    /// <summary>Counts what comes over the wire and gives up when nothing comes for too long.</summary>
    private sealed class PacedStream(Stream inner, PullingOptions options, TimeProvider time, Uri url) : Stream
    {
        private long _total;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => _total; set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            using var idle = new CancellationTokenSource(options.IdleTimeout, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(idle.Token, cancellationToken);
            int read;
            try
            {
                read = await inner.ReadAsync(buffer, both.Token);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                throw new FetchException($"{url.Authority} broke off before the whole answer had come: the body is cut short.", e) { BodyUnusable = true };
            }
            catch (OperationCanceledException e) when (idle.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new FetchException($"{url.Authority} stopped sending the body for {options.IdleTimeout.TotalSeconds:0} s (idle time-out).", e);
            }
            _total += read;
            return _total > options.MaxBytes ? throw TooLong(url, options.MaxBytes) : read;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
