using System.Text.Unicode;
using ThreatFeeds.Indicators;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Parsing;

/// <summary>One entry of a feed to encoded indicators or the reason why not. Entries come trimmed and without comment.</summary>
internal sealed class EntryReader(ParseSettings settings)
{
    private readonly List<IpPrefix> _prefixes = [];
    private readonly byte[] _name = new byte[256];
    private byte[] _refanged = new byte[256];
    private int _nameLength;

    /// <summary>What was done to the entry read last.</summary>
    public Cleaning Cleaning { get; private set; }

    /// <summary>The prefixes read last, when accepted in an IPSet feed.</summary>
    public IReadOnlyList<IpPrefix> Prefixes => _prefixes;

    /// <summary>The name read last in encoded form, when accepted in a DomainNameSet feed.</summary>
    public ReadOnlySpan<byte> Name => _name.AsSpan(0, _nameLength);

    public Verdict Read(ReadOnlySpan<byte> entry)
    {
        Cleaning cleaning = Cleaning.None;
        if (!Utf8.IsValid(entry))
        {
            Cleaning = cleaning;
            return Verdict.Refused("invalid UTF-8");
        }
        entry = Refang(entry, ref cleaning);
        Verdict verdict = Judge(entry, ref cleaning);
        Cleaning = cleaning;
        return verdict;
    }

    private Verdict Judge(ReadOnlySpan<byte> entry, ref Cleaning cleaning)
    {
        if (AddressEntry.TryRead(entry, _prefixes, ref cleaning))
        {
            return OfAddress();
        }
        if (entry.IndexOf("://"u8) >= 0 || entry.StartsWith("//"u8))
        {
            return settings.UrlsAsHosts ? OfUrl(entry, ref cleaning) : Verdict.Refused("URL");
        }
        int slash = entry.IndexOf((byte)'/');
        if (slash >= 0)
        {
            return slash > 0 && settings.UrlsAsHosts && !IpValue.TryParse(entry[..slash], out _) ? OfUrl(entry, ref cleaning) : Verdict.Refused("path");
        }
        if (entry.ContainsAny((byte)' ', (byte)'\t'))
        {
            return Verdict.Refused("several columns");
        }
        if (entry.Contains((byte)'@'))
        {
            return Verdict.Refused("e-mail address");
        }
        int colon = entry.LastIndexOf((byte)':');
        if (colon > 0 && AddressEntry.IsPort(entry[(colon + 1)..]) && entry[..colon].Contains((byte)'.'))
        {
            return settings.UrlsAsHosts ? OfUrl(entry, ref cleaning) : Verdict.Refused("name with port");
        }
        return OfName(entry, ref cleaning);
    }

    private Verdict OfAddress()
    {
        if (settings.Content == ContentKind.DomainNameSet)
        {
            return Verdict.Skipped;
        }
        foreach (IpPrefix prefix in _prefixes)
        {
            if (AddressEntry.TooWide(prefix))
            {
                return Verdict.Refused("too wide");
            }
        }
        return Verdict.Accepted;
    }

    private Verdict OfName(ReadOnlySpan<byte> entry, ref Cleaning cleaning)
    {
        string? fault = NameEntry.Read(entry, _name, out _nameLength, ref cleaning);
        if (settings.Content == ContentKind.DomainNameSet)
        {
            return fault is null ? Verdict.Accepted : Verdict.Refused(fault);
        }
        return fault is null ? Verdict.Skipped : Verdict.Refused("not an address");
    }

    // The host: between the scheme and the first of / ? #, after user info; its port goes with it.
    private Verdict OfUrl(ReadOnlySpan<byte> url, ref Cleaning cleaning)
    {
        int scheme = url.IndexOf("//"u8);
        ReadOnlySpan<byte> host = scheme >= 0 ? url[(scheme + 2)..] : url;
        int end = host.IndexOfAny((byte)'/', (byte)'?', (byte)'#');
        host = end < 0 ? host : host[..end];
        host = host[(host.LastIndexOf((byte)'@') + 1)..];
        Cleaning done = Cleaning.Url;
        Verdict verdict;
        if (AddressEntry.TryRead(host, _prefixes, ref done))
        {
            verdict = OfAddress();
        }
        else
        {
            int colon = host.LastIndexOf((byte)':');
            if (colon >= 0 && (colon == host.Length - 1 || AddressEntry.IsPort(host[(colon + 1)..])))
            {
                host = host[..colon];
            }
            verdict = host.IsEmpty ? Verdict.Refused("URL") : OfName(host, ref done);
        }
        cleaning |= done;
        return verdict;
    }

    // [.] to . and hxxp to http, as reports write indicators so that nobody clicks on them.
    private ReadOnlySpan<byte> Refang(ReadOnlySpan<byte> entry, scoped ref Cleaning cleaning)
    {
        bool scheme = entry.Length > 4 && (entry[0] | 0x20) == 'h' && (entry[1] | 0x20) == 'x' && (entry[2] | 0x20) == 'x' && (entry[3] | 0x20) == 'p'
            && entry.IndexOf("://"u8) is 4 or 5;
        if (!scheme && entry.IndexOf("[.]"u8) < 0)
        {
            return entry;
        }
        if (_refanged.Length < entry.Length)
        {
            _refanged = new byte[entry.Length];
        }
        int to = 0;
        for (int i = 0; i < entry.Length; i++)
        {
            bool dot = entry[i..].StartsWith("[.]"u8);
            _refanged[to++] = dot ? (byte)'.' : scheme && i is 1 or 2 ? (byte)'t' : entry[i];
            i += dot ? 2 : 0;
        }
        cleaning |= Cleaning.Defanged;
        return _refanged.AsSpan(0, to);
    }
}
