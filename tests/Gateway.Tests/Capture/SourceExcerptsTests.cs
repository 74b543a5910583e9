using Gateway.Capture;

namespace Gateway.Tests.Capture;

public sealed class SourceExcerptsTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_place_comes_with_two_lines_before_and_after_it()
    {
        var source = await SourceExcerpts.ReadAsync(new StringReader("1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7"), [(4, 1), (7, 1)], Ct);

        Assert.Equal(["2", "3", "4", "5", "6"], source.At(4, 1).Select(l => l.Text));
        Assert.Equal([(5, "5"), (6, "6"), (7, "7")], source.At(7, 1).Select(l => (l.Number, l.Text)));
        Assert.All(source.At(4, 1), l => Assert.False(l.CutBefore || l.CutAfter));
        Assert.Empty(source.At(5, 100_000));
    }

    [Fact]
    public async Task Places_in_a_document_of_one_long_line_are_each_cut_around_their_column()
    {
        var text = new string('a', 50_000) + "X" + new string('b', 60) + "Y" + new string('c', 50_000);

        var source = await SourceExcerpts.ReadAsync(new StringReader(text), [(1, 50_001), (1, 50_062), (1, 1)], Ct);

        foreach (var (column, expected) in (IEnumerable<(int, char)>)[(50_001, 'X'), (50_062, 'Y'), (1, 'a')])
        {
            var line = Assert.Single(source.At(1, column));
            Assert.Equal(expected, line.Text[column - line.FirstColumn]);
            Assert.Equal(SourceExcerpts.MaxWidth, line.Text.Length);
            Assert.True(line.CutAfter);
            Assert.Equal(column > 1, line.CutBefore);
        }
    }

    [Fact]
    public async Task A_line_that_is_not_there_has_no_excerpt() =>
        Assert.Empty((await SourceExcerpts.ReadAsync(new StringReader("one\n"), [(7, 1)], Ct)).At(7, 1));

    [Fact]
    public async Task With_many_places_each_shows_its_own_line_only()
    {
        var lines = Enumerable.Range(1, 2 * SourceExcerpts.MaxWithAround).ToList();

        var source = await SourceExcerpts.ReadAsync(new StringReader(string.Join('\n', lines)), lines.Select(n => (n, 1)), Ct);

        Assert.All(lines, n => Assert.Equal((n, $"{n}"), Assert.Single(source.At(n, 1)) is var l ? (l.Number, l.Text) : default));
    }
}
