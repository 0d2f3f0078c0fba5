using System.Globalization;
using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using ThreatFeeds.Logs;
using ThreatFeeds.Tests.Support;
using Xunit;

namespace ThreatFeeds.Tests.Logs;

/// <summary>The walker beside <see cref="Utf8JsonReader"/>: the same tokens of the same texts, and the same texts refused.</summary>
public sealed class JsonWalkerTests
{
    private const string Whole = """{"qname":"a\u0062\"\\\/\b\f\n\r\t.example","n":[0,-1.5e+10,1E5,true,false,null,{}],"x":{"y":[[],""]} , "é":"😀"}""";

    [Theory]
    [InlineData(Whole)]
    [InlineData(" \t\r\n[ 1 , 2 ]\n")]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("\v1")]
    [InlineData("01")]
    [InlineData("-")]
    [InlineData("-01")]
    [InlineData("+1")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("1e")]
    [InlineData("1e+")]
    [InlineData("1x")]
    [InlineData("1 2")]
    [InlineData("1,")]
    [InlineData("tru")]
    [InlineData("truex")]
    [InlineData("nul")]
    [InlineData("NaN")]
    [InlineData("'a'")]
    [InlineData("\"a")]
    [InlineData("\"a\tb\"")]
    [InlineData("\"\\x\"")]
    [InlineData("\"\\")]
    [InlineData("\"\\u12")]
    [InlineData("\"\\u12g4\"")]
    [InlineData("\"\\ud800\"")]
    [InlineData("[1,]")]
    [InlineData("[,1]")]
    [InlineData("[1 2]")]
    [InlineData("[1}")]
    [InlineData("{\"a\"}")]
    [InlineData("{\"a\":}")]
    [InlineData("{\"a\":1,}")]
    [InlineData("{,}")]
    [InlineData("{1:2}")]
    [InlineData("{\"a\" 1}")]
    [InlineData("{\"a\":1]")]
    [InlineData("{\"a\":1}}")]
    [InlineData("{\"a\":1} {")]
    [InlineData("]")]
    [InlineData("// no\n1")]
    [InlineData("[1 /* no */]")]
    public void It_reads_what_the_reader_of_the_platform_reads(string text) => Compare(Encoding.UTF8.GetBytes(text));

    [Fact]
    public void Sixty_four_levels_are_read_and_one_more_is_not()
    {
        for (int depth = 60; depth <= 70; depth++)
        {
            Compare(Encoding.UTF8.GetBytes(new string('[', depth) + new string(']', depth)));
            Compare(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":[", depth / 2)) + string.Concat(Enumerable.Repeat("]}", depth / 2))));
            Compare(Encoding.UTF8.GetBytes(new string('[', depth)));
        }
        Assert.True(Walk(Encoding.UTF8.GetBytes(new string('[', 64) + new string(']', 64))).Sound);
        Assert.False(Walk(Encoding.UTF8.GetBytes(new string('[', 65) + new string(']', 65))).Sound);
    }

    [Fact]
    public void A_text_cut_anywhere_is_refused_as_the_platform_refuses_it()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Whole);
        for (int length = 0; length <= whole.Length; length++)
        {
            Compare(whole[..length]);
        }
    }

    [Fact]
    public void Any_text_of_the_letters_of_JSON_is_read_as_the_platform_reads_it()
    {
        // Words rather than bytes, so that most texts go on for a while before they break, and many do not break.
        string[] words = ["{", "}", "[", "]", ",", ":", "\"a\"", "\"qname\"", "\"", "\\", "\\u0041", "\\ud83d\\ude00", "\\ud800", "0", "12", "-", ".5", "e3", "true", "null", "fals", " ", "\n", "\t", "x", "é", "\u0001"];
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(20_000), Prop.ForAll(
            Gen.Elements(words).ListOf().Select(w => string.Concat(w)).ToArbitrary(), text => Compare(Encoding.UTF8.GetBytes(text))));
    }

    [Fact]
    public void A_record_with_any_of_its_bytes_changed_is_read_as_the_platform_reads_it()
    {
        byte[] letters = Encoding.UTF8.GetBytes("{}[],:\"\\u09-+.eEtrfn x/\n\0");
        byte[] whole = Encoding.UTF8.GetBytes(Whole);
        foreach (byte letter in letters)
        {
            for (int at = 0; at < whole.Length; at++)
            {
                byte[] changed = [.. whole];
                changed[at] = letter;
                Compare(changed);
                Compare([.. whole[..at], letter, .. whole[at..]]);
                Compare([.. whole[..at], .. whole[(at + 1)..]]);
            }
        }
    }

    [SharedDataTheory]
    [InlineData("logs/calico/derived-dns-lab.jsonl.gz")]
    [InlineData("logs/calico/derived-flows.jsonl.gz")]
    public void Real_records_are_read_as_the_platform_reads_them_whole_and_broken(string file)
    {
        var random = new Random(19);
        foreach (string line in Encoding.UTF8.GetString(SharedData.Read(file)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(400))
        {
            byte[] whole = Encoding.UTF8.GetBytes(line);
            Compare(whole);
            for (int i = 0; i < 20; i++)
            {
                byte[] broken = [.. whole];
                broken[random.Next(broken.Length)] = (byte)random.Next(0x80);
                Compare(broken);
            }
        }
    }

    [Theory]
    [InlineData("""{"qname":1}""", true)]
    [InlineData("""{"\u0071\u006e\u0061\u006D\u0065":1}""", true)]
    [InlineData("""{"qnam":1}""", false)]
    [InlineData("""{"\u0071nam":1}""", false)]
    [InlineData("""{"\u0071name2":1}""", false)]
    [InlineData("""{"\ud800name":1}""", false)]
    [InlineData("""{"qnam\ud800":1}""", false)]
    [InlineData("""{"\ud800\u0065":1}""", false)]
    [InlineData("""{"qname\ud800\ud800\ud800\ud800":1}""", false)]
    public void A_key_is_told_however_it_is_escaped(string text, bool equal)
    {
        var walker = new JsonWalker(Encoding.UTF8.GetBytes(text));
        Assert.True(walker.Read() && walker.Read());
        Assert.Equal(equal, walker.ValueTextEquals("qname"u8));
    }

    [Fact]
    public void A_copy_goes_on_from_where_it_was_taken_and_skipping_passes_over_one_value()
    {
        var walker = new JsonWalker("""{"a":[1,{"b":[2]}],"c":3,"d":{}}"""u8);
        Assert.True(walker.Read() && walker.Read() && walker.Read());
        JsonWalker at = walker;
        walker.Skip();
        Assert.Equal(JsonTokenType.EndArray, walker.TokenType);
        Assert.True(walker.Read());
        walker.Skip();
        Assert.Equal("3", Encoding.UTF8.GetString(walker.ValueSpan));
        Assert.True(walker.Read());
        walker.Skip();
        Assert.True(walker.Read());
        Assert.Equal(JsonTokenType.EndObject, walker.TokenType);
        Assert.True(walker.ReadToEnd());
        Assert.True(at.Read());
        Assert.Equal("1", Encoding.UTF8.GetString(at.ValueSpan));
    }

    private static void Compare(byte[] text)
    {
        (bool sound, List<string> tokens) = Walk(text);
        var expected = new List<string>();
        bool readable = true;
        try
        {
            var reader = new Utf8JsonReader(text);
            while (reader.Read())
            {
                string value = reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName or JsonTokenType.Number ? Encoding.UTF8.GetString(reader.ValueSpan) : "";
                expected.Add($"{reader.TokenType} {value}{Unescaped(ref reader)}");
            }
        }
        catch (JsonException)
        {
            readable = false;
        }
        string shown = Encoding.UTF8.GetString(text);
        Assert.True(readable == sound, string.Create(CultureInfo.InvariantCulture, $"readable: {readable}, walked: {sound}: {shown}"));
        // Of a broken text the platform may find the fault a token earlier (it looks behind a number) or later.
        int both = readable ? Math.Max(expected.Count, tokens.Count) : Math.Min(expected.Count, tokens.Count);
        Assert.Equal(expected.Take(both), tokens.Take(both));
    }

    private static string Unescaped(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName) || !reader.ValueIsEscaped)
        {
            return "";
        }
        try
        {
            return " = " + reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return " = no text";
        }
    }

    private static (bool Sound, List<string> Tokens) Walk(byte[] text)
    {
        var tokens = new List<string>();
        var walker = new JsonWalker(text);
        while (walker.Read())
        {
            bool isText = walker.TokenType is JsonTokenType.String or JsonTokenType.PropertyName;
            string value = isText || walker.TokenType == JsonTokenType.Number ? Encoding.UTF8.GetString(walker.ValueSpan) : "";
            byte[] to = new byte[walker.ValueSpan.Length];
            string unescaped = !isText || !walker.ValueIsEscaped ? ""
                : JsonText.TryUnescape(walker.ValueSpan, to, out int length) ? " = " + Encoding.UTF8.GetString(to, 0, length)
                : " = no text";
            tokens.Add($"{walker.TokenType} {value}{unescaped}");
        }
        return (!walker.Failed, tokens);
    }
}
