using System.Text;
using ThreatFeeds.Vocabulary;
using Xunit;

namespace ThreatFeeds.Tests.Vocabulary;

public sealed class VisibleTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("bad.example", "bad.example")]
    [InlineData("ünïcode 名 🦊", "ünïcode 名 🦊")]
    [InlineData("a\r\nb\tc", "a\\u000d\\u000ab\\u0009c")]
    [InlineData("\u001b[31m\u0085\u007f", "\\u001b[31m\\u0085\\u007f")]
    [InlineData("\u202eelif.exe\u2066\u200f\u061c", "\\u202eelif.exe\\u2066\\u200f\\u061c")]
    [InlineData("a\u200bb\ufeffc\u00add", "a\\u200bb\\ufeffc\\u00add")]
    [InlineData("a\u2028b\u2029c", "a\\u2028b\\u2029c")]
    [InlineData("\U000e0041", "\\udb40\\udc41")]
    public void What_cannot_be_seen_is_written_out(string text, string shown)
    {
        Assert.Equal(shown, VisibleText.Of(text, 100));
        Assert.Equal(shown, VisibleText.Whole(text));
        Assert.Equal(shown, VisibleText.Of(Encoding.UTF8.GetBytes(text), 100));
        Assert.Equal(shown, VisibleText.Of(shown, 100));
    }

    [Fact]
    public void Half_a_surrogate_pair_is_written_out()
    {
        Assert.Equal("a\\ud83db", VisibleText.Of("a\ud83db", 100));
        Assert.Equal("\\udd8a🦊\\ud83e", VisibleText.Of("\udd8a🦊\ud83e", 100));
    }

    [Theory]
    [InlineData("12345", "12345")]
    [InlineData("123456", "1234…")]
    [InlineData("123🦊", "123🦊")]
    [InlineData("123🦊5", "123…")]
    [InlineData("\n", "…")]
    [InlineData("1234\n", "1234…")]
    public void A_long_text_is_cut_between_characters(string text, string shown)
    {
        Assert.Equal(shown, VisibleText.Of(text, 5));
        Assert.Equal(shown, VisibleText.Of(Encoding.UTF8.GetBytes(text), 5));
    }

    [Fact]
    public void Of_a_huge_text_no_more_is_looked_at_than_is_shown()
    {
        string huge = new('\u001b', 50_000_000);
        byte[] bytes = Encoding.UTF8.GetBytes(huge);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(199, VisibleText.Of(huge, VisibleText.Quoted).Length);
        Assert.Equal(199, VisibleText.Of(bytes, VisibleText.Quoted).Length);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 100_000);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_shown_as_such() => Assert.Equal("a\ufffdb", VisibleText.Of([(byte)'a', 0xFF, (byte)'b'], 10));
}
