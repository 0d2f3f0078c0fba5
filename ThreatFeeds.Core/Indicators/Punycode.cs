using System.Text;

namespace ThreatFeeds.Indicators;

/// <summary>Punycode of one label (RFC 3492), without the <c>xn--</c>.</summary>
internal static class Punycode
{
    private const int Base = 36, TMin = 1, TMax = 26, Skew = 38, Damp = 700;

    /// <summary>Null when the label holds a lone surrogate or cannot fit a name.</summary>
    public static string? Encode(string label)
    {
        var points = new List<int>(label.Length);
        var to = new StringBuilder(label.Length + 8);
        for (int i = 0; i < label.Length; i++)
        {
            if (!Rune.TryGetRuneAt(label, i, out Rune rune))
            {
                return null;
            }
            i += rune.Utf16SequenceLength - 1;
            points.Add(rune.Value);
            if (rune.IsAscii)
            {
                to.Append((char)rune.Value);
            }
        }
        if (points.Count > 63)
        {
            return null; // No label holds so many, and the sums below stay small.
        }
        int done = to.Length, basic = done, n = 128, delta = 0, bias = 72;
        if (basic > 0)
        {
            to.Append('-');
        }
        while (done < points.Count)
        {
            int next = int.MaxValue;
            foreach (int point in points)
            {
                if (point >= n && point < next)
                {
                    next = point;
                }
            }
            delta += (next - n) * (done + 1);
            n = next;
            foreach (int point in points)
            {
                if (point < n)
                {
                    delta++;
                }
                else if (point == n)
                {
                    Append(to, delta, bias);
                    bias = Adapt(delta, done + 1, done == basic);
                    delta = 0;
                    done++;
                }
            }
            delta++;
            n++;
        }
        return to.ToString();
    }

    private static void Append(StringBuilder to, int delta, int bias)
    {
        int q = delta;
        for (int k = Base; ; k += Base)
        {
            int t = Math.Clamp(k - bias, TMin, TMax);
            if (q < t)
            {
                to.Append(Digit(q));
                return;
            }
            to.Append(Digit(t + (q - t) % (Base - t)));
            q = (q - t) / (Base - t);
        }
    }

    private static int Adapt(int delta, int points, bool first)
    {
        delta = first ? delta / Damp : delta / 2;
        delta += delta / points;
        int k = 0;
        for (; delta > (Base - TMin) * TMax / 2; k += Base)
        {
            delta /= Base - TMin;
        }
        return k + (Base - TMin + 1) * delta / (delta + Skew);
    }

    private static char Digit(int value) => (char)(value < 26 ? 'a' + value : '0' + value - 26);
}
