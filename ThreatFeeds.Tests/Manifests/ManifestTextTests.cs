using System.Text;
using System.Text.Json.Nodes;
using ThreatFeeds.Manifests;
using Xunit;

namespace ThreatFeeds.Tests.Manifests;

public sealed class ManifestTextTests
{
    [Theory]
    [InlineData("a: &x 1\nb: 2", 1, 4, "anchors")]
    [InlineData("a: 1\nb: *x", 2, 4, "aliases")]
    [InlineData("a: 1\nb: {<<: *x}", 2, 9, "aliases")]
    [InlineData("a: 1\n*x : 2", 2, 1, "aliases")]
    [InlineData("a: !!str 1", 1, 4, "tags")]
    [InlineData("a: !System.Diagnostics.Process {}", 1, 4, "tags")]
    [InlineData("a: 1\nb: 2\na: 3", 3, 1, "\"a\" is there twice")]
    [InlineData("a: 1\n\"a\": 3", 2, 1, "\"a\" is there twice")]
    [InlineData("? [a]\n: b", 1, 3, "a key is a plain text")]
    [InlineData("a: 1\n---\nb: 2", 2, 1, "more than one document")]
    [InlineData("a: .inf", 1, 4, ".inf is no number")]
    [InlineData("- a\n- b", 1, 1, "a manifest is an object")]
    [InlineData("", 1, 1, "empty")]
    [InlineData("a: [1, 2", 2, 1, "")]
    [InlineData("a: 1\n\tb: 2", 2, 1, "")]
    public void Hostile_or_broken_YAML_is_refused_with_its_place(string yaml, long line, long column, string words)
    {
        var e = Assert.Throws<ManifestException>(() => ManifestText.ReadYaml(Encoding.UTF8.GetBytes(yaml)));
        Assert.Contains(words, e.Message, StringComparison.Ordinal);
        Assert.Equal((line, column), (e.Line, e.Column));
    }

    [Theory]
    [InlineData("{\n  \"a\": tru\n}", 2)]
    [InlineData("{\"a\":1}\n{\"b\":2}", 2)]
    [InlineData("{\"a\":1,\n \"b\":2,\n \"a\":3}", 3)]
    [InlineData("", 1)]
    [InlineData("[1]", 1)]
    [InlineData("{\"a\": // no\n 1}", 1)]
    public void Broken_JSON_is_refused_with_its_place(string json, long line)
    {
        var e = Assert.Throws<ManifestException>(() => ManifestText.ReadJson(Encoding.UTF8.GetBytes(json)));
        Assert.Equal(line, e.Line);
        Assert.True(e.Column >= 1);
    }

    [Fact]
    public void A_key_twice_is_placed_where_it_stands_the_second_time()
    {
        var e = Assert.Throws<ManifestException>(() => ManifestText.ReadJson("{\"a\":1,\n  \"a\":3}"u8.ToArray()));
        Assert.Equal((2, 3), (e.Line, e.Column));
    }

    [Theory]
    [InlineData(31, true)]
    [InlineData(33, false)]
    [InlineData(500_000, false)]
    public void YAML_is_read_to_a_depth_of_32(int depth, bool accepted)
    {
        byte[] text = Encoding.UTF8.GetBytes("a: " + new string('[', depth) + new string(']', depth));
        Assert.Equal(accepted, Record.Exception(() => ManifestText.ReadYaml(text)) is null);
    }

    [Theory]
    [InlineData(63, true)]
    [InlineData(65, false)]
    public void JSON_is_read_to_a_depth_of_64(int depth, bool accepted)
    {
        byte[] text = Encoding.UTF8.GetBytes("{\"a\":" + new string('[', depth) + new string(']', depth) + "}");
        Assert.Equal(accepted, Record.Exception(() => ManifestText.ReadJson(text)) is null);
    }

    [Fact]
    public void More_than_one_mebibyte_is_refused()
    {
        byte[] text = Encoding.UTF8.GetBytes("a: " + new string('x', ManifestText.MaxBytes));
        Assert.Contains("1 MiB", Assert.Throws<ManifestException>(() => ManifestText.ReadYaml(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_UTF_8_are_refused() =>
        Assert.Equal(2, Assert.Throws<ManifestException>(() => ManifestText.ReadYaml((byte[])[.. "a: b\nc: "u8, 0xff, 0xfe])).Line);

    [Fact]
    public void Plain_scalars_follow_the_core_schema()
    {
        JsonObject read = ManifestText.ReadYaml("""
            nothing: ~
            empty:
            yes: Yes
            on: On
            true: True
            whole: -12
            octal: 0o17
            old: 0777
            hex: 0xff
            float: 1.50e3
            quoted: "12"
            date: 2026-01-01
            big: 123456789012345678901234567890
            """u8.ToArray());
        Assert.Equal(
            """{"nothing":null,"empty":null,"yes":"Yes","on":"On","true":true,"whole":-12,"octal":15,"old":777,"hex":255,"float":1500,"quoted":"12","date":"2026-01-01","big":1.2345678901234568E+29}""",
            read.ToJsonString());
    }
}
