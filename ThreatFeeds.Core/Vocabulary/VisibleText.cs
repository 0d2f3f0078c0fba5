using System.Globalization;
using System.Text;

namespace ThreatFeeds.Vocabulary;

/// <summary>
/// Text that somebody else chose (a server, a body, a record) on its way to people, rows and logs. What nobody can see or what moves other text about is
/// written as <c>\u202e</c>: control characters and line ends, marks that turn the direction, invisible format characters, half a surrogate pair. All that is
/// shown of such text goes through here.
/// </summary>
public static class VisibleText
{
    /// <summary>Characters of one piece quoted in a message.</summary>
    public const int Quoted = 200;

    /// <summary>Characters of a whole message.</summary>
    public const int Message = 2000;

    private const char Mark = '…';

    /// <summary>The text with everything in it visible, cut between characters to a length (in UTF-16) with an ellipsis at its end. Done twice it is what it was.</summary>
    public static string Of(string text, int length)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length <= length && IsPlain(text) ? text : Write(text, length);
    }

    /// <summary>The same of UTF-8; bytes that are none are shown as the replacement character.</summary>
    public static string Of(ReadOnlySpan<byte> utf8, int length)
    {
        // So many bytes are more characters than fit, whatever they are.
        int most = 4 * (length + 1);
        return Of(Encoding.UTF8.GetString(utf8.Length > most ? utf8[..most] : utf8), length);
    }

    /// <summary>The text with everything in it visible, as long as that is.</summary>
    public static string Whole(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return IsPlain(text) ? text : Write(text, int.MaxValue);
    }

    private static bool IsPlain(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static string Write(ReadOnlySpan<char> text, int length)
    {
        var shown = new StringBuilder(Math.Min(text.Length, length) + 16);
        int fits = 0;
        while (!text.IsEmpty)
        {
            bool whole = Rune.DecodeFromUtf16(text, out Rune rune, out int used) == System.Buffers.OperationStatus.Done;
            if (whole && !IsHidden(rune))
            {
                shown.Append(text[..used]);
            }
            else
            {
                foreach (char half in text[..used])
                {
                    shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)half:x4}");
                }
            }
            text = text[used..];
            if (shown.Length > length)
            {
                shown.Length = fits;
                return shown.Append(Mark).ToString();
            }
            fits = shown.Length < length ? shown.Length : fits;
        }
        return shown.ToString();
    }

    private static bool IsHidden(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
