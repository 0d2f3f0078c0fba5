using System.Buffers;
using System.Text.Json;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Pushing;

namespace ThreatFeeds.Api.ElasticsearchShaped;

/// <summary>A request's JSON body where it lies, or what is wrong with it.</summary>
/// <param name="Outline">Null when there is a problem.</param>
internal sealed record DocumentBody(DocumentOutline? Outline, int Status, string Type, string Reason)
{
    /// <summary>Elasticsearch's own limit (http.max_content_length), before and after decompression.</summary>
    private const int MaxBytes = 100 * 1024 * 1024;

    /// <summary>What is stored goes to the database in one piece, so that a body is there twice.</summary>
    private const int Copies = 2;

    /// <param name="sample">A body as it should be, for the reason.</param>
    public static async Task<DocumentBody> ReadAsync(HttpContext context, string sample, CancellationToken cancellationToken)
    {
        RequestBody body = await RequestBody.ReadAsync(context.Request, MaxBytes, cancellationToken, Copies);
        switch (body.Outcome)
        {
            case BodyOutcome.TooLong:
                return new DocumentBody(null, 413, "content_too_long_exception", $"the body is longer than {body.Most} bytes, as it came or unpacked");
            case BodyOutcome.UnknownEncoding:
                return new DocumentBody(null, 415, "illegal_argument_exception", $"the Content-Encoding [{body.Encoding}] is not understood; send the body plain or with gzip");
            case BodyOutcome.NotGzip:
                return new DocumentBody(null, 400, "parse_exception", "the body is not gzip as its Content-Encoding says, or is cut short");
        }
        char? first = FirstCharacter(body.Bytes);
        if (first is null)
        {
            return new DocumentBody(null, 400, "parse_exception", $"request body is required: write {sample}");
        }
        try
        {
            return new DocumentBody(DocumentOutline.Read(body.Bytes, cancellationToken), 200, "", "");
        }
        catch (DocumentTextException e)
        {
            return new DocumentBody(null, 400, "document_parsing_exception", $"the text at line {e.Line}, byte {e.Column} {e.Message}");
        }
        catch (JsonException e)
        {
            string where = $"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}";
            string hint = first == '{' ? "" : " (the braces around it are missing)";
            return new DocumentBody(null, 400, "document_parsing_exception", $"the body is not JSON at {where}{hint}: write {sample}");
        }
    }

    /// <summary>Null when there is nothing but white space.</summary>
    private static char? FirstCharacter(ReadOnlySequence<byte> bytes)
    {
        foreach (ReadOnlyMemory<byte> part in bytes)
        {
            if (part.Span.TrimStart(" \t\r\n"u8) is [byte first, ..])
            {
                return (char)first;
            }
        }
        return null;
    }
}
