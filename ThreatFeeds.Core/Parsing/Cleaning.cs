namespace ThreatFeeds.Parsing;

/// <summary>What had to be done to an entry before it was an indicator. Words of the counts come from <see cref="CleaningWords"/>.</summary>
[Flags]
internal enum Cleaning
{
    None = 0,
    SurroundingSpace = 1 << 0,
    UpperCase = 1 << 1,
    TrailingDot = 1 << 2,
    UnicodeName = 1 << 3,
    Wildcard = 1 << 4,
    HostsLine = 1 << 5,
    Range = 1 << 6,
    HostBits = 1 << 7,
    Port = 1 << 8,
    Brackets = 1 << 9,
    Defanged = 1 << 10,
    Url = 1 << 11,
    ByteOrderMark = 1 << 12,
    CarriageReturn = 1 << 13,
    BlankLine = 1 << 14,
    Comment = 1 << 15,
    EmptyValue = 1 << 16,
    LocalName = 1 << 17,
    Repeat = 1 << 18,
}

/// <summary>Stable words, as counts and API answers show them.</summary>
internal static class CleaningWords
{
    private static readonly string[] Words =
    [
        "surrounding space", "upper case", "trailing dot", "Unicode name", "wildcard", "hosts-file line", "range", "host bits", "port", "brackets",
        "defanged", "URL", "byte order mark", "CRLF", "blank line", "comment", "empty value", "local name", "repeat",
    ];

    public static int Count => Words.Length;

    public static string Of(int bit) => Words[bit];
}
