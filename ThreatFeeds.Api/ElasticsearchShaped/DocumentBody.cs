using System.IO.Compression;
using System.Text.Json;

namespace ThreatFeeds.Api.ElasticsearchShaped;

/// <summary>A request's JSON body, or what is wrong with it.</summary>
/// <param name="Document">Null when there is a problem; the caller disposes it.</param>
internal sealed record DocumentBody(JsonDocument? Document, int Status, string Type, string Reason)
{
    /// <summary>Elasticsearch's own limit (http.max_content_length), before and after decompression.</summary>
    public const int MaxBytes = 100 * 1024 * 1024;

    /// <param name="sample">A body as it should be, for the reason.</param>
    public static async Task<DocumentBody> ReadAsync(HttpRequest request, string sample, CancellationToken cancellationToken)
    {
        if (request.ContentLength > MaxBytes)
        {
            return TooLong();
        }
        string encoding = request.Headers.ContentEncoding.ToString();
        if (encoding.Length > 0 && !encoding.Equals("gzip", StringComparison.OrdinalIgnoreCase) && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return new DocumentBody(null, 415, "illegal_argument_exception", $"the Content-Encoding [{encoding}] is not understood; send the body plain or with gzip");
        }
        using var body = new MemoryStream();
        try
        {
            await using Stream from = encoding.Equals("gzip", StringComparison.OrdinalIgnoreCase) ? new GZipStream(request.Body, CompressionMode.Decompress) : request.Body;
            byte[] buffer = new byte[64 * 1024];
            int read;
            while ((read = await from.ReadAsync(buffer, cancellationToken)) > 0)
            {
                if (body.Length + read > MaxBytes)
                {
                    return TooLong();
                }
                body.Write(buffer, 0, read);
            }
        }
        catch (InvalidDataException e)
        {
            return new DocumentBody(null, 400, "parse_exception", $"the body is not gzip as its Content-Encoding says: {e.Message}");
        }
        ReadOnlyMemory<byte> bytes = body.GetBuffer().AsMemory(0, (int)body.Length);
        if (bytes.Span.Trim(" \t\r\n"u8).IsEmpty)
        {
            return new DocumentBody(null, 400, "parse_exception", $"request body is required: write {sample}");
        }
        try
        {
            // Copied by the parser's own rules: the buffer is not used again while the document lives.
            return new DocumentBody(JsonDocument.Parse(bytes), 200, "", "");
        }
        catch (JsonException e)
        {
            string where = $"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}";
            string hint = bytes.Span.Trim(" \t\r\n"u8)[0] == (byte)'{' ? "" : " (the braces around it are missing)";
            return new DocumentBody(null, 400, "document_parsing_exception", $"the body is not JSON at {where}{hint}: write {sample}");
        }
    }

    private static DocumentBody TooLong() =>
        new(null, 413, "content_too_long_exception", $"the body is longer than {MaxBytes / 1024 / 1024} MiB");
}
