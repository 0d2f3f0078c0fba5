using System.IO.Compression;
using ThreatFeeds.Indicators;
using ThreatFeeds.Sets;
using Xunit;

namespace ThreatFeeds.Tests.Sets;

/// <summary>Chunks as bytes: of the newest form, of the first, and damaged ones.</summary>
public sealed class ChunkTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_chunk_comes_back_as_it_was(int format)
    {
        var chunk = new DecodedChunk();
        for (int seed = 1; seed <= 40; seed++)
        {
            DatedSet set = Random(seed);
            int from = seed % 3 == 0 ? set.Set.Count / 3 : 0, count = set.Set.Count - from;
            chunk.Read(Encode(set, from, count, format), format, count);
            Assert.Equal(count, chunk.Count);
            for (int i = 0; i < count; i++)
            {
                Assert.True(set.Set[from + i].SequenceEqual(chunk[i]));
                Assert.Equal(set.Since[from + i], chunk.Since(i));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Damaged_bytes_are_refused_or_give_as_many_entries_in_ascending_order(int format)
    {
        int refused = 0;
        var chunk = new DecodedChunk();
        for (int seed = 1; seed <= 400; seed++)
        {
            var random = new Random(seed);
            DatedSet set = Random(1 + seed % 20);
            byte[] data = Encode(set, 0, set.Set.Count, format);
            switch (seed % 4)
            {
                case 0:
                    data = data[..random.Next(data.Length)];
                    break;
                case 1:
                    random.NextBytes(data.AsSpan(random.Next(data.Length)));
                    break;
                default:
                    data[random.Next(data.Length)] ^= (byte)(1 << random.Next(8));
                    break;
            }
            try
            {
                chunk.Read(data, format, set.Set.Count + (seed % 5 == 0 ? 1 : 0));
            }
            // The stream that reads the first form says what is wrong in its own way.
            catch (Exception e) when (e is InvalidDataException || (format == 1 && e is InvalidOperationException or IOException))
            {
                refused++;
                continue;
            }
            for (int i = 1; i < chunk.Count; i++)
            {
                Assert.True(chunk[i - 1].SequenceCompareTo(chunk[i]) < 0);
            }
        }
        Assert.True(refused > 200, $"{refused} refused");
    }

    [Fact]
    public void Bytes_that_belong_to_no_entry_are_damage()
    {
        DatedSet set = Random(3);
        byte[] data = SetChunkCodec.Encode(set, 0, set.Set.Count), raw = new byte[1 << 20];
        // The length before stands in three bytes at most.
        int head = 1 + Array.FindIndex(data, b => b < 128);
        Assert.True(BrotliDecoder.TryDecompress(data.AsSpan(head), raw, out int length));
        new DecodedChunk().Read(Packed(raw, length), 2, set.Set.Count);
        Assert.Throws<InvalidDataException>(() => new DecodedChunk().Read(Packed(raw, length + 1), 2, set.Set.Count));
        Assert.Throws<InvalidDataException>(() => new DecodedChunk().Read(Packed(raw, length - 1), 2, set.Set.Count));

        static byte[] Packed(byte[] raw, int length)
        {
            using var to = new MemoryStream();
            using (var write = new BinaryWriter(to, System.Text.Encoding.UTF8, leaveOpen: true))
            {
                write.Write7BitEncodedInt(length);
            }
            using (var pack = new BrotliStream(to, CompressionLevel.Fastest, leaveOpen: true))
            {
                pack.Write(raw, 0, length);
            }
            return to.ToArray();
        }
    }

    [Fact]
    public void An_entry_that_comes_twice_is_damage()
    {
        IndicatorSet set = Indicators.Sets.Of("a.example", "b.example");
        // Both columns say that the second entry is the first once more: nothing shared, and the same rest.
        byte[] data = SetChunkCodec.Encode(new DatedSet(set, [1, 1]), 0, 2), raw = new byte[1 << 10];
        Assert.True(BrotliDecoder.TryDecompress(data.AsSpan(1), raw, out int length));
        int second = raw.AsSpan(0, length).LastIndexOf("b.example"u8);
        raw[second] = (byte)'a';
        byte[] packed = new byte[1 << 10];
        Assert.True(BrotliEncoder.TryCompress(raw.AsSpan(0, length), packed.AsSpan(1), out int written));
        packed[0] = (byte)length;
        Assert.Throws<InvalidDataException>(() => new DecodedChunk().Read(packed[..(written + 1)], 2, 2));
    }

    private static byte[] Encode(DatedSet set, int from, int count, int format) => format == 2 ? SetChunkCodec.Encode(set, from, count) : FirstForm(set, from, count);

    /// <summary>As the first version wrote it.</summary>
    private static byte[] FirstForm(DatedSet set, int from, int count)
    {
        using var to = new MemoryStream();
        using (var write = new BinaryWriter(new BrotliStream(to, CompressionLevel.Fastest, leaveOpen: true)))
        {
            long newest = set.Since.AsSpan(from, count).ToArray().Max();
            write.Write(newest);
            ReadOnlySpan<byte> previous = default;
            for (int i = from; i < from + count; i++)
            {
                int shared = previous.CommonPrefixLength(set.Set[i]);
                write.Write7BitEncodedInt(shared);
                write.Write7BitEncodedInt(set.Set[i].Length - shared);
                write.Write(set.Set[i][shared..]);
                write.Write7BitEncodedInt64(newest - set.Since[i]);
                previous = set.Set[i];
            }
        }
        return to.ToArray();
    }

    private static DatedSet Random(int seed)
    {
        var random = new Random(seed);
        int count = 1 + random.Next(3000);
        IndicatorSet set = seed % 4 == 0
            ? Indicators.Sets.Of([.. Enumerable.Range(0, count).Select(_ => $"{random.Next(1, 224)}.{random.Next(256)}.{random.Next(256)}.0/{random.Next(16, 25)}")])
            : Indicators.Sets.Of([.. Enumerable.Range(0, count).Select(i => i == 7 ? Longest : $"{(random.Next(9) == 0 ? "*." : "")}{new string((char)('a' + random.Next(26)), random.Next(1, 57))}{random.Next(100_000)}.example")]);
        return new DatedSet(set, [.. Enumerable.Range(0, set.Count).Select(_ => random.Next(3) == 0 ? random.NextInt64(0, 2_000_000_000) : 1_772_352_000)]);
    }

    // The longest entry there is.
    private static string Longest { get; } = "*." + string.Join('.', new string('x', 63), new string('x', 63), new string('x', 63), new string('x', 61));
}
