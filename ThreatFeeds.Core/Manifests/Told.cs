using System.Collections;

namespace ThreatFeeds.Manifests;

/// <summary>What is told of many: the first hundred, and how many more there were. What is said of a manifest stays short, whatever was sent.</summary>
public sealed class Told<T> : IReadOnlyList<T>
{
    /// <summary>Told at most.</summary>
    public const int Most = 100;

    private readonly List<T> _first = [];

    public int Count => _first.Count;

    /// <summary>How many there were beyond those.</summary>
    public long More { get; private set; }

    public T this[int index] => _first[index];

    public IEnumerator<T> GetEnumerator() => _first.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal void Add(T item)
    {
        if (_first.Count < Most)
        {
            _first.Add(item);
        }
        else
        {
            More++;
        }
    }

    /// <summary>Counts what was not even looked at one by one.</summary>
    internal void AddMore(long more) => More += more;
}

/// <summary>Texts of a manifest as they are told.</summary>
internal static class ToldText
{
    /// <summary>The text, or its beginning and its end, where a message says what would be right.</summary>
    public static string Cut(string text, int most)
    {
        if (text.Length <= most)
        {
            return text;
        }
        int to = most / 2;
        int from = text.Length - most / 2;
        to -= char.IsHighSurrogate(text[to - 1]) ? 1 : 0;
        from += char.IsLowSurrogate(text[from]) ? 1 : 0;
        return $"{text[..to]} … {text[from..]}";
    }
}
