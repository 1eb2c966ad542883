// @ts-check
/**
 * Names of the kernel modules in the guest packages. Modules that a kernel does not have are omitted, and dependencies are
 * added. Other modules are read from the package of Debian.
 */

const DEVICES = `
  virtio virtio_ring virtio_pci virtio_pci_modern_dev virtio_pci_legacy_dev virtio_mmio virtio_balloon virtio_console virtio_rng
  virtio_net virtio_blk virtio_scsi virtio_input virtio_gpu virtio_mem virtio_iommu virtio_ccw
  vsock vmw_vsock_virtio_transport vhost_vsock vmgenid pvpanic pvpanic_pci pvpanic_mmio i6300esb ib700wdt softdog
  sd_mod sr_mod sg libata ahci ata_piix nvme
  usbcore usb_storage uas xhci_hcd xhci_pci usbhid hid_generic
  e1000 e1000e 8139cp 8139too ne2k_pci pcnet32 ibmveth ibmvscsi
  drm bochs evdev atkbd i8042 uinput
  tpm_tis tpm_crb qemu_fw_cfg gpio_sim i2c_dev i2c_stub rtc_cmos rtc_pl031`

const FILE_SYSTEMS = `
  9p 9pnet_virtio autofs4 binfmt_misc btrfs configfs erofs exfat ext4 fuse cuse virtiofs isofs msdos vfat overlay squashfs udf
  xfs nls_ascii nls_cp437 nls_iso8859_1 nls_utf8`

const STORAGE = `
  loop nbd zram brd null_blk scsi_debug
  dm_mod dm_crypt dm_delay dm_flakey dm_integrity dm_log_writes dm_mirror dm_snapshot dm_thin_pool dm_verity dm_zero
  md_mod raid0 raid1 raid10
  crc32c_generic crc32c_intel crct10dif_generic crc64_rocksoft_generic
  aesni_intel xts cbc ecb ctr gcm ccm cmac af_alg algif_hash algif_skcipher algif_aead`

const NETWORK = `
  af_packet tun tap veth bridge br_netfilter bonding dummy ifb 8021q macvlan macvtap ipvlan vxlan ip_gre sit ipip ip6_tunnel
  wireguard netconsole nlmon vcan vxcan can_raw
  nf_tables nf_conntrack nf_conntrack_netlink nf_nat nfnetlink_log nfnetlink_queue
  nft_chain_nat nft_compat nft_ct nft_fib_inet nft_hash nft_limit nft_log nft_masq nft_nat nft_numgen nft_objref nft_queue
  nft_quota nft_redir nft_reject nft_reject_inet nft_socket nft_tproxy
  ip_tables ip6_tables iptable_filter iptable_nat iptable_mangle iptable_raw ip6table_filter ip6table_nat ip6table_mangle
  ipt_REJECT ip6t_REJECT
  xt_addrtype xt_comment xt_conntrack xt_connmark xt_limit xt_mark xt_multiport xt_nat xt_owner xt_physdev xt_pkttype xt_recent
  xt_state xt_statistic xt_tcpmss xt_tcpudp xt_CT xt_LOG xt_MASQUERADE xt_REDIRECT xt_TCPMSS xt_TPROXY
  esp4 esp6 xfrm_user xfrm_interface tcp_bbr tcp_diag udp_diag inet_diag unix_diag
  sch_htb sch_netem sch_tbf sch_fq sch_fq_codel sch_ingress sch_prio sch_sfq
  cls_u32 cls_flower cls_bpf cls_matchall act_mirred act_gact act_police act_bpf`

/** Names, as in `/proc/modules`. */
export const PACKAGED_MODULES = [DEVICES, FILE_SYSTEMS, STORAGE, NETWORK].flatMap((names) => names.trim().split(/\s+/))
