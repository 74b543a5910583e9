using Gateway.Capture;

namespace Gateway.Tests.Capture;

public sealed class CaptureSourceTests
{
    [Fact]
    public async Task The_asked_lines_come_and_no_others()
    {
        var lines = await CaptureSource.CutAsync(new StringReader("one\r\ntwo\r\nthree"), [(3, 1), (1, 2)], TestContext.Current.CancellationToken);

        Assert.Equal(["one", "three"], lines.OrderBy(l => l.Key).Select(l => l.Value.Text));
        Assert.All(lines.Values, l => Assert.False(l.CutBefore || l.CutAfter));
    }

    [Fact]
    public async Task A_document_of_one_long_line_is_cut_around_the_column()
    {
        var text = new string('a', 50_000) + "X" + new string('b', 50_000);

        var line = (await CaptureSource.CutAsync(new StringReader(text), [(1, 50_001)], TestContext.Current.CancellationToken))[1];

        Assert.Equal('X', line.Text[50_001 - line.FirstColumn]);
        Assert.Equal(CaptureSource.MaxWidth, line.Text.Length);
        Assert.True(line.CutBefore && line.CutAfter);
    }

    [Fact]
    public async Task A_line_that_is_not_there_is_left_out() =>
        Assert.Empty(await CaptureSource.CutAsync(new StringReader("one\n"), [(7, 1)], TestContext.Current.CancellationToken));
}
