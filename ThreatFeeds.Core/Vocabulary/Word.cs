using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ThreatFeeds.Vocabulary;

/// <summary>
/// How a member of a closed set is written, the same in rows, in REST and in log messages: its name in camel case, or what
/// <see cref="JsonStringEnumMemberNameAttribute"/> says.
/// </summary>
public static class Word
{
    public static string Of<T>(T value)
        where T : struct, Enum => Words<T>.Written.TryGetValue(value, out string? word)
            ? word
            : throw new ArgumentOutOfRangeException(nameof(value), value, $"There is no word for this {typeof(T).Name}.");

    /// <summary>Reads a word exactly as it is written; false for anything else.</summary>
    public static bool TryParse<T>(string? word, out T value)
        where T : struct, Enum
    {
        value = default;
        return word is not null && Words<T>.Read.TryGetValue(word, out value);
    }

    /// <exception cref="FormatException">No member of the set is written so.</exception>
    public static T Parse<T>(string word)
        where T : struct, Enum => TryParse(word, out T value) ? value : throw new FormatException($"'{word}' is no {typeof(T).Name}; known: {string.Join(", ", All<T>())}.");

    /// <summary>The words of a set, in its order.</summary>
    public static IReadOnlyList<string> All<T>()
        where T : struct, Enum => Words<T>.All;

    private static class Words<T>
        where T : struct, Enum
    {
        public static readonly FrozenDictionary<T, string> Written = Enum.GetValues<T>().ToFrozenDictionary(v => v, Write);
        public static readonly FrozenDictionary<string, T> Read = Written.ToFrozenDictionary(p => p.Value, p => p.Key, StringComparer.Ordinal);
        public static readonly IReadOnlyList<string> All = [.. Enum.GetValues<T>().Select(v => Written[v])];

        private static string Write(T value)
        {
            string name = value.ToString();
            return typeof(T).GetField(name)!.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(name);
        }
    }
}

/// <summary>Writes and reads members of a closed set as their words.</summary>
public sealed class WordJsonConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
