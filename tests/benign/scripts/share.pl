# Shares variables among processes by the modules that are built on System V IPC.
use strict;
use warnings;
use IPC::ShareLite qw(:lock);
use IPC::Shareable;

my $key = 0x5ba5e;
my $share = IPC::ShareLite->new(-key => $key, -create => 'yes', -destroy => 'no', -mode => 0600) or die "create: $!";
$share->store(0);

sub each_child {
	my ($count, $body) = @_;
	my @children;
	for (1 .. $count) {
		my $child = fork // die "fork: $!";
		if (!$child) {
			$body->();
			exit 0;
		}
		push @children, $child;
	}
	for (@children) {
		waitpid $_, 0;
		$? == 0 or die "a child failed";
	}
}

each_child(4, sub {
	my $same = IPC::ShareLite->new(-key => $key, -create => 'no', -destroy => 'no') or die "open: $!";
	for (1 .. 50) {
		$same->lock(LOCK_EX) or die "lock: $!";
		$same->store($same->fetch + 1);
		$same->unlock;
	}
});
$share->fetch == 200 or die "counted " . $share->fetch;
$share->store("x" x 70_000); # more than one segment
length $share->fetch == 70_000 or die "not all is there";
$share->destroy(1);
undef $share;

my $tied = tie my %hash, 'IPC::Shareable', { key => 'bngn', create => 1, exclusive => 1, mode => 0600, destroy => 0 } or die "tie: $!";
$hash{count} = 0;
each_child(2, sub {
	for (1 .. 10) {
		$tied->lock;
		$hash{count} = $hash{count} + 1;
		$tied->unlock;
	}
});
$hash{count} == 20 or die "counted $hash{count}";
$tied->remove;
