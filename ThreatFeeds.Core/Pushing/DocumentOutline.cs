using System.Buffers;
using System.Text.Json;

namespace ThreatFeeds.Pushing;

/// <summary>A document's text is JSON, and yet no text: half a surrogate pair, bytes that are not UTF-8, or longer than any can be used.</summary>
/// <param name="line">One-based, as is <paramref name="column"/>, which counts bytes.</param>
/// <param name="reason">Goes on "the text at …".</param>
public sealed class DocumentTextException(long line, long column, string reason) : Exception(reason)
{
    public long Line => line;

    public long Column => column;
}

/// <summary>A member of the outermost object.</summary>
/// <param name="Kind">Of the token its value begins with.</param>
/// <param name="Value">The value's bytes where they lie.</param>
/// <param name="Elements">Of a list: how many it has.</param>
/// <param name="Foreign">Of a list: the one-based place of the first element that is no string; 0 when all are.</param>
/// <param name="ForeignKind">What that element begins with.</param>
public readonly record struct DocumentMember(string Name, JsonTokenType Kind, ReadOnlySequence<byte> Value, long Elements, long Foreign, JsonTokenType ForeignKind);

/// <summary>
/// A JSON document looked through once without making anything of it: what its outermost value is and where its members lie. It may be as long as a body may be,
/// and objects made of it would be many times as large.
/// </summary>
/// <param name="Kind">Of the token the outermost value begins with.</param>
/// <param name="Bytes">That value's bytes, without space around.</param>
/// <param name="Members">The first of the outermost object's, as the document has them; a name may be there twice.</param>
/// <param name="MemberCount">All of them.</param>
public sealed record DocumentOutline(JsonTokenType Kind, ReadOnlySequence<byte> Bytes, IReadOnlyList<DocumentMember> Members, long MemberCount)
{
    /// <summary>Members that are kept.</summary>
    public const int MostMembers = 5;

    /// <summary>Bytes of one text, as it is written. No name or address is near it.</summary>
    public const int LongestText = 1 << 20;

    private const int TokensBetweenLooks = 100_000;

    /// <exception cref="JsonException">It is not JSON, or nested deeper than 64.</exception>
    /// <exception cref="DocumentTextException">A text in it is none.</exception>
    public static DocumentOutline Read(ReadOnlySequence<byte> document, CancellationToken cancellationToken)
    {
        var reader = new Utf8JsonReader(document);
        var text = new TextCheck(document);
        var members = new List<DocumentMember>();
        JsonTokenType root = JsonTokenType.None, member = JsonTokenType.None, foreignKind = JsonTokenType.None;
        long start = 0, end = 0, memberStart = 0, memberCount = 0, elements = 0, foreign = 0;
        string name = "";
        for (int tokens = 1; reader.Read(); tokens++)
        {
            if (tokens % TokensBetweenLooks == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
            JsonTokenType token = reader.TokenType;
            bool begins = token is JsonTokenType.StartArray or JsonTokenType.StartObject, ends = token is JsonTokenType.EndArray or JsonTokenType.EndObject;
            if (token is JsonTokenType.String or JsonTokenType.PropertyName)
            {
                text.Check(ref reader);
            }
            switch (reader.CurrentDepth)
            {
                case 0:
                    (root, start) = ends ? (root, start) : (token, reader.TokenStartIndex);
                    end = reader.BytesConsumed;
                    break;
                case 1 when root == JsonTokenType.StartObject && token == JsonTokenType.PropertyName:
                    memberCount++;
                    name = members.Count < MostMembers ? reader.GetString()! : "";
                    break;
                case 1 when root == JsonTokenType.StartObject:
                    if (!ends)
                    {
                        (member, memberStart, elements, foreign) = (token, reader.TokenStartIndex, 0, 0);
                    }
                    if (!begins && members.Count < MostMembers)
                    {
                        members.Add(new DocumentMember(name, member, document.Slice(memberStart, reader.BytesConsumed - memberStart), elements, foreign, foreignKind));
                    }
                    break;
                case 2 when member == JsonTokenType.StartArray && !ends:
                    elements++;
                    if (foreign == 0 && token != JsonTokenType.String)
                    {
                        (foreign, foreignKind) = (elements, token);
                    }
                    break;
            }
        }
        return new DocumentOutline(root, document.Slice(start, end - start), members, memberCount);
    }

    /// <summary>Looks at each text before anybody makes a string of it.</summary>
    private ref struct TextCheck(ReadOnlySequence<byte> document)
    {
        private byte[] _text = [];

        public void Check(ref Utf8JsonReader reader)
        {
            long length = reader.HasValueSequence ? reader.ValueSequence.Length : reader.ValueSpan.Length;
            if (length > LongestText)
            {
                throw Problem(reader.TokenStartIndex, $"is longer than {LongestText} bytes");
            }
            if (_text.Length < length)
            {
                _text = new byte[Math.Max(length, 2 * _text.Length)];
            }
            try
            {
                reader.CopyString(_text);
            }
            catch (InvalidOperationException)
            {
                throw Problem(reader.TokenStartIndex, "is not Unicode: it holds bytes that are not UTF-8, or a surrogate (\\ud800 to \\udfff) without its other half");
            }
        }

        private readonly DocumentTextException Problem(long at, string reason)
        {
            long line = 1, column = 1;
            foreach (ReadOnlyMemory<byte> part in document.Slice(0, at))
            {
                int newlines = part.Span.Count((byte)'\n');
                line += newlines;
                column = newlines == 0 ? column + part.Length : part.Length - part.Span.LastIndexOf((byte)'\n');
            }
            return new DocumentTextException(line, column, reason);
        }
    }
}
