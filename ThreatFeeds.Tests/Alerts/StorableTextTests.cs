using System.Text;
using ThreatFeeds.Alerts;
using Xunit;

namespace ThreatFeeds.Tests.Alerts;

public sealed class StorableTextTests
{
    [Theory]
    [InlineData("web-1", "web-1")]
    [InlineData("", "")]
    [InlineData("emoji 🦊 stays", "emoji 🦊 stays")]
    [InlineData("a\0b", "a\\u0000b")]
    [InlineData("tab\tand\u007f\u0085", "tab\\u0009and\\u007f\\u0085")]
    public void What_cannot_be_stored_or_seen_is_written_as_an_escape(string text, string stored) => Assert.Equal(stored, StorableText.Of(text, 1024));

    [Fact]
    public void Half_a_surrogate_pair_is_written_as_an_escape()
    {
        Assert.Equal("a\\ud800b", StorableText.Of("a\ud800b", 1024));
        Assert.Equal("\\udc00🦊\\ud83e", StorableText.Of("\udc00🦊\ud83e", 1024));
    }

    [Fact]
    public void Long_texts_are_cut_to_their_bytes_between_characters_and_stay_different()
    {
        string one = StorableText.Of(string.Concat(Enumerable.Repeat("🦊", 300_000)) + "1", 512);
        string two = StorableText.Of(string.Concat(Enumerable.Repeat("🦊", 300_000)) + "2", 512);

        Assert.InRange(Encoding.UTF8.GetByteCount(one), 500, 512);
        Assert.StartsWith("🦊🦊", one, StringComparison.Ordinal);
        Assert.Matches("🦊…#[0-9a-f]{32}$", one);
        Assert.NotEqual(one, two);
        Assert.Equal(one, StorableText.Of(string.Concat(Enumerable.Repeat("🦊", 300_000)) + "1", 512));
        Assert.Equal(new string('x', 512), StorableText.Of(new string('x', 512), 512));
        // Nothing that has room is left out.
        Assert.Equal(512, Encoding.UTF8.GetByteCount(StorableText.Of(new string('x', 513), 512)));
    }

    [Fact]
    public void A_record_stays_what_it_was_but_for_its_NULs() =>
        Assert.Equal("{\"a\":\t\"x\\u0000🦊\"}", StorableText.OfRecord(Encoding.UTF8.GetBytes("{\"a\":\t\"x\0🦊\"}")));
}
